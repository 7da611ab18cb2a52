//! The channels whose ends are tasks: tokio's own, flume and async-channel, all on tokio's runtime.

use crate::harness::{sum_to, Answer, Board, Effort, Stopwatch, Work};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// Runs a task on the workers, not on the thread that waits for it.
fn run<T: Send + 'static>(runtime: &Runtime, task: impl Future<Output = T> + Send + 'static) -> T {
    runtime.block_on(async { tokio::spawn(task).await.expect("a task that ends") })
}

/// What join() is on a channel that has none: a count, and a notice for the one who waits for zero.
#[derive(Default)]
struct Unfinished {
    count: AtomicUsize,
    none: Notify,
}

impl Unfinished {
    fn begun(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
    fn done(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none.notify_one();
        }
    }
    async fn wait(&self) {
        while self.count.load(Ordering::Acquire) != 0 {
            self.none.notified().await;
        }
    }
}

/// The receiving ends for so many consumers.
fn shared<R: Clone>(receiver: R, consumers: usize) -> Vec<R> {
    vec![receiver; consumers]
}
fn alone<R>(receiver: R, consumers: usize) -> Vec<R> {
    assert_eq!(consumers, 1, "this channel has one receiver");
    vec![receiver]
}

/// The boards of a channel: its module, and what the module calls making one, sending, receiving and sharing the receiver.
macro_rules! boards_of {
    ($name:ident, $library:path, $make:ident, $send:ident, $receive:ident, $share:ident) => {
        mod $name {
            use super::*;
            use $library as library;

            async fn produce(items: library::Sender<i64>, first: i64, count: i64) {
                for i in 1..=count {
                    items.$send(first + i).await.expect("a receiver");
                }
            }

            #[allow(unused_mut)]
            async fn consume(mut items: library::Receiver<i64>, count: i64) -> i64 {
                let mut mine = 0;
                for _ in 0..count {
                    mine += items.$receive().await.expect("an item");
                }
                mine
            }

            async fn exchange(capacity: usize, producers: i64, consumers: i64, total: i64) -> i64 {
                let (sender, receiver) = library::$make(capacity);
                let share = total / producers;
                let putters: Vec<_> =
                    (0..producers).map(|p| tokio::spawn(produce(sender.clone(), p * share, share))).collect();
                let receivers = $share(receiver, consumers as usize).into_iter();
                let getters: Vec<_> = receivers.map(|r| tokio::spawn(consume(r, total / consumers))).collect();
                for putter in putters {
                    putter.await.expect("a task that ends");
                }
                let mut sum = 0;
                for getter in getters {
                    sum += getter.await.expect("a task that ends");
                }
                sum
            }

            pub fn queue<const CAPACITY: usize, const PRODUCERS: i64, const CONSUMERS: i64>(
                runtime: &Runtime,
                effort: Effort,
            ) -> Answer {
                let total = effort.scaled(crate::QUEUE_TOTAL, 64);
                let watch = Stopwatch::start();
                let sum = run(runtime, exchange(CAPACITY, PRODUCERS, CONSUMERS, total));
                watch.millions_per_s(total).if_equal("the sum of the items", sum, sum_to(total))
            }

            #[allow(unused_mut)]
            async fn ask_and_answer(total: i64) -> i64 {
                let (there, mut asked) = library::$make(1);
                let (back, mut answered) = library::$make(1);
                let other = tokio::spawn(async move {
                    for _ in 0..total {
                        let question: i64 = asked.$receive().await.expect("a question");
                        back.$send(question + 1).await.expect("somebody who asked");
                    }
                });
                let mut sum = 0;
                for i in 0..total {
                    there.$send(i).await.expect("somebody who answers");
                    sum += answered.$receive().await.expect("an answer");
                }
                other.await.expect("a task that ends");
                sum
            }

            pub fn ping_pong(runtime: &Runtime, effort: Effort) -> Answer {
                let total = effort.scaled(crate::PING_PONG_TOTAL, 1);
                let watch = Stopwatch::start();
                let sum = run(runtime, ask_and_answer(total));
                watch.ns_per_item(total).if_equal("the sum of the answers", sum, sum_to(total))
            }

            pub fn hand_over(runtime: &Runtime, effort: Effort) -> Answer {
                let mut reading = ping_pong(runtime, effort)?;
                reading.items *= 2;
                reading.value /= 2.0;
                Ok(reading)
            }

            #[allow(unused_mut)]
            async fn pairs_by_try(total: i64) -> i64 {
                let (sender, mut receiver) = library::$make(1024);
                let mut sum = 0;
                for i in 1..=total {
                    if sender.try_send(i).is_ok() {
                        sum += receiver.try_recv().unwrap_or(0);
                    }
                }
                sum
            }

            #[allow(unused_mut)]
            async fn pairs_by_await(total: i64) -> i64 {
                let (sender, mut receiver) = library::$make(1024);
                let mut sum = 0;
                for i in 1..=total {
                    sender.$send(i).await.expect("a receiver");
                    sum += receiver.$receive().await.expect("an item");
                }
                sum
            }

            pub fn pair_try(runtime: &Runtime, effort: Effort) -> Answer {
                let total = effort.scaled(crate::PAIR_TOTAL, 1);
                let watch = Stopwatch::start();
                let sum = run(runtime, pairs_by_try(total));
                watch.ns_per_item(total).if_equal("the sum of the items", sum, sum_to(total))
            }

            pub fn pair_await(runtime: &Runtime, effort: Effort) -> Answer {
                let total = effort.scaled(crate::PAIR_TOTAL, 1);
                let watch = Stopwatch::start();
                let sum = run(runtime, pairs_by_await(total));
                watch.ns_per_item(total).if_equal("the sum of the items", sum, sum_to(total))
            }
        }
    };
}

/// The pipeline needs a channel with many receivers.
macro_rules! pipeline_of {
    ($name:ident, $library:path, $send:ident, $receive:ident) => {
        mod $name {
            use super::*;
            use $library as library;

            async fn work(jobs: library::Receiver<i64>, unfinished: Arc<Unfinished>) -> i64 {
                let mut mine = 0;
                while let Ok(item) = jobs.$receive().await {
                    mine += item;
                    unfinished.done();
                }
                mine
            }

            /// A queue of 10, one producer, three workers; each item is reported done, and the producer waits for all.
            async fn serve(total: i64) -> i64 {
                let (sender, receiver) = library::bounded(10);
                let unfinished = Arc::new(Unfinished::default());
                let workers: Vec<_> =
                    (0..3).map(|_| tokio::spawn(work(receiver.clone(), unfinished.clone()))).collect();
                for i in 1..=total {
                    unfinished.begun();
                    sender.$send(i).await.expect("a worker");
                }
                unfinished.wait().await;
                drop(sender);
                let mut sum = 0;
                for worker in workers {
                    sum += worker.await.expect("a task that ends");
                }
                sum
            }

            pub fn pipeline(runtime: &Runtime, effort: Effort) -> Answer {
                let total = effort.scaled(crate::PIPELINE_TOTAL, 1);
                let watch = Stopwatch::start();
                let sum = run(runtime, serve(total));
                watch.millions_per_s(total).if_equal("the sum of the items", sum, sum_to(total))
            }
        }
    };
}

boards_of!(tokio_mpsc, tokio::sync::mpsc, channel, send, recv, alone);
boards_of!(flume_tasks, flume, bounded, send_async, recv_async, shared);
boards_of!(async_channel_tasks, async_channel, bounded, send, recv, shared);
pipeline_of!(flume_service, flume, send_async, recv_async);
pipeline_of!(async_channel_service, async_channel, send, recv);

/// What every channel has, and what one with many receivers has beside it: (board, how it does its work).
macro_rules! boards_to_one {
    ($module:ident) => {
        [
            ("ping_pong", Work::Tasks($module::ping_pong)),
            ("switch", Work::TasksOfOneWorker($module::hand_over)),
            ("queue.1024.1p1c", Work::Tasks($module::queue::<1024, 1, 1>)),
            ("queue.1024.4p1c", Work::Tasks($module::queue::<1024, 4, 1>)),
            ("queue.16.1p1c", Work::Tasks($module::queue::<16, 1, 1>)),
            ("queue.16.4p1c", Work::Tasks($module::queue::<16, 4, 1>)),
            ("queue.1.1p1c", Work::Tasks($module::queue::<1, 1, 1>)),
            ("queue.1.4p1c", Work::Tasks($module::queue::<1, 4, 1>)),
            ("queue.pair.try", Work::Tasks($module::pair_try)),
            ("queue.pair.await", Work::Tasks($module::pair_await)),
        ]
    };
}
macro_rules! boards_to_many {
    ($module:ident, $service:ident) => {
        [
            ("queue.1024.4p4c", Work::Tasks($module::queue::<1024, 4, 4>)),
            ("queue.1024.64p64c", Work::Tasks($module::queue::<1024, 64, 64>)),
            ("queue.16.4p4c", Work::Tasks($module::queue::<16, 4, 4>)),
            ("queue.16.64p64c", Work::Tasks($module::queue::<16, 64, 64>)),
            ("queue.1.4p4c", Work::Tasks($module::queue::<1, 4, 4>)),
            ("queue.1.64p64c", Work::Tasks($module::queue::<1, 64, 64>)),
            ("pipeline", Work::Tasks($service::pipeline)),
        ]
    };
}

pub fn boards() -> Vec<Board> {
    let mut boards = Vec::new();
    let mut add = |peer, listed: Vec<(&'static str, Work)>| {
        boards.extend(listed.into_iter().map(|(name, work)| Board { peer, name, work }));
    };
    add("tokio", boards_to_one!(tokio_mpsc).into());
    add("flume", boards_to_one!(flume_tasks).into());
    add("flume", boards_to_many!(flume_tasks, flume_service).into());
    add("async-channel", boards_to_one!(async_channel_tasks).into());
    add("async-channel", boards_to_many!(async_channel_tasks, async_channel_service).into());
    boards
}
