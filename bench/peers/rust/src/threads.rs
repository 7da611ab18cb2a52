//! crossbeam-channel, which blocks threads: one thread per producer and consumer.

use crate::harness::{sum_to, Answer, Board, Effort, Stopwatch, Work};
use crossbeam_channel::{bounded, Receiver, Sender};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

fn produce(items: Sender<i64>, first: i64, count: i64) {
    for i in 1..=count {
        items.send(first + i).expect("a receiver");
    }
}

fn consume(items: Receiver<i64>, count: i64) -> i64 {
    (0..count).map(|_| items.recv().expect("an item")).sum()
}

fn queue<const CAPACITY: usize, const PRODUCERS: i64, const CONSUMERS: i64>(effort: Effort) -> Answer {
    // With one place it sleeps and wakes threads for each item, which takes a hundred times as long: so it does fewer.
    let total = effort.scaled(if CAPACITY == 1 { crate::QUEUE_TOTAL / 10 } else { crate::QUEUE_TOTAL }, 64);
    let share = total / PRODUCERS;
    let (sender, receiver) = bounded(CAPACITY);
    let watch = Stopwatch::start();
    let sum = thread::scope(|scope| {
        for p in 0..PRODUCERS {
            let sender = sender.clone();
            scope.spawn(move || produce(sender, p * share, share));
        }
        let getters: Vec<_> = (0..CONSUMERS)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || consume(receiver, total / CONSUMERS))
            })
            .collect();
        getters.into_iter().map(|getter| getter.join().expect("a thread that ends")).sum()
    });
    watch.millions_per_s(total).if_equal("the sum of the items", sum, sum_to(total))
}

fn ping_pong(effort: Effort) -> Answer {
    let total = effort.scaled(crate::PING_PONG_TOTAL / 20, 1);
    let (there, asked) = bounded(1);
    let (back, answered) = bounded(1);
    let watch = Stopwatch::start();
    let sum = thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..total {
                let question: i64 = asked.recv().expect("a question");
                back.send(question + 1).expect("somebody who asked");
            }
        });
        let mut sum = 0;
        for i in 0..total {
            there.send(i).expect("somebody who answers");
            sum += answered.recv().expect("an answer");
        }
        sum
    });
    watch.ns_per_item(total).if_equal("the sum of the answers", sum, sum_to(total))
}

fn pair_try(effort: Effort) -> Answer {
    let total = effort.scaled(crate::PAIR_TOTAL, 1);
    let (sender, receiver) = bounded(1024);
    let mut sum = 0;
    let watch = Stopwatch::start();
    for i in 1..=total {
        if sender.try_send(i).is_ok() {
            sum += receiver.try_recv().unwrap_or(0);
        }
    }
    watch.ns_per_item(total).if_equal("the sum of the items", sum, sum_to(total))
}

fn pair_wait(effort: Effort) -> Answer {
    let total = effort.scaled(crate::PAIR_TOTAL, 1);
    let (sender, receiver) = bounded(1024);
    let mut sum = 0;
    let watch = Stopwatch::start();
    for i in 1..=total {
        sender.send(i).expect("a receiver");
        sum += receiver.recv().expect("an item");
    }
    watch.ns_per_item(total).if_equal("the sum of the items", sum, sum_to(total))
}

/// What join() is on a channel that has none: a count, and a condition for the one who waits for zero.
#[derive(Default)]
struct Unfinished {
    count: AtomicUsize,
    mutex: Mutex<()>,
    none: Condvar,
}

impl Unfinished {
    fn begun(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
    fn done(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _guard = self.mutex.lock().expect("a mutex");
            self.none.notify_one();
        }
    }
    fn wait(&self) {
        let mut guard = self.mutex.lock().expect("a mutex");
        while self.count.load(Ordering::Acquire) != 0 {
            guard = self.none.wait(guard).expect("a mutex");
        }
    }
}

/// A queue of 10, one producer, three workers; each item is reported done, and the producer waits for all.
fn pipeline(effort: Effort) -> Answer {
    let total = effort.scaled(crate::PIPELINE_TOTAL, 1);
    let (sender, receiver) = bounded(10);
    let unfinished = Unfinished::default();
    let work = |jobs: Receiver<i64>| jobs.iter().inspect(|_| unfinished.done()).sum::<i64>();
    let watch = Stopwatch::start();
    let sum = thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let jobs = receiver.clone();
                scope.spawn(|| work(jobs))
            })
            .collect();
        for i in 1..=total {
            unfinished.begun();
            sender.send(i).expect("a worker");
        }
        unfinished.wait();
        drop(sender);
        workers.into_iter().map(|worker| worker.join().expect("a thread that ends")).sum()
    });
    watch.millions_per_s(total).if_equal("the sum of the items", sum, sum_to(total))
}

pub fn boards() -> Vec<Board> {
    let listed: [(&'static str, fn(Effort) -> Answer); 16] = [
        ("ping_pong", ping_pong),
        ("queue.1024.1p1c", queue::<1024, 1, 1>),
        ("queue.1024.4p1c", queue::<1024, 4, 1>),
        ("queue.1024.4p4c", queue::<1024, 4, 4>),
        ("queue.1024.64p64c", queue::<1024, 64, 64>),
        ("queue.16.1p1c", queue::<16, 1, 1>),
        ("queue.16.4p1c", queue::<16, 4, 1>),
        ("queue.16.4p4c", queue::<16, 4, 4>),
        ("queue.16.64p64c", queue::<16, 64, 64>),
        ("queue.1.1p1c", queue::<1, 1, 1>),
        ("queue.1.4p1c", queue::<1, 4, 1>),
        ("queue.1.4p4c", queue::<1, 4, 4>),
        ("queue.1.64p64c", queue::<1, 64, 64>),
        ("queue.pair.try", pair_try),
        ("queue.pair.await", pair_wait),
        ("pipeline", pipeline),
    ];
    let board = |(name, run)| Board { peer: "crossbeam", name, work: Work::Threads(run) };
    listed.into_iter().map(board).collect()
}
