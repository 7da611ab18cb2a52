//! What every board shares, as in bench/harness.hpp: the clock, the reading, and the JSON line that is made of it.

use std::fmt::Write;
use std::time::Instant;
use tokio::runtime::Runtime;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Full,
    Quick,
    WarmUp,
}

impl Effort {
    /// The share of `total` that the effort asks for, as a multiple of `granule` and at least one granule.
    pub fn scaled(self, total: i64, granule: i64) -> i64 {
        let share = match self {
            Effort::Full => total,
            Effort::Quick => total / 5,
            Effort::WarmUp => total / 50,
        };
        (share / granule).max(1) * granule
    }
}

pub struct Reading {
    pub value: f64,
    pub unit: &'static str,
    pub items: i64,
    wall: f64,
    cpu: f64,
}

/// A reading, or what is wrong with the answer.
pub type Answer = Result<Reading, String>;

pub struct Stopwatch {
    wall: Instant,
    cpu: f64,
}

/// CPU time of the whole process: every worker, every thread.
fn process_cpu() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // Safe: the kernel fills in a structure that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch { wall: Instant::now(), cpu: process_cpu() }
    }

    pub fn ns_per_item(&self, items: i64) -> Reading {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), process_cpu() - self.cpu);
        Reading { value: wall / items as f64 * 1e9, unit: "ns", items, wall, cpu }
    }

    pub fn millions_per_s(&self, items: i64) -> Reading {
        let reading = self.ns_per_item(items);
        Reading { value: 1e3 / reading.value, unit: "M/s", ..reading }
    }
}

impl Reading {
    /// This reading, if the answer is right.
    pub fn if_equal(self, what: &str, got: i64, expected: i64) -> Answer {
        if got == expected {
            return Ok(self);
        }
        Err(format!("Wrong answer: {what} is {got} and should be {expected}."))
    }
}

/// The sum of 1..n: what the consumers of n numbered items must have added up.
pub fn sum_to(n: i64) -> i64 {
    n * (n + 1) / 2
}

/// Processors that this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How a board does its work.
pub enum Work {
    /// On threads of its own, which block.
    Threads(fn(Effort) -> Answer),
    /// As tasks of a tokio runtime with a worker for each processor.
    Tasks(fn(&Runtime, Effort) -> Answer),
    /// As tasks of a tokio runtime with one worker.
    TasksOfOneWorker(fn(&Runtime, Effort) -> Answer),
}

pub struct Board {
    pub peer: &'static str,
    pub name: &'static str,
    pub work: Work,
}

fn runtime(workers: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime")
}

fn peak_resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let kib = line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024e-6
}

impl Board {
    /// Runs it once at warm-up effort and once in earnest.
    fn measure(&self, effort: Effort) -> Answer {
        let (run, workers) = match self.work {
            Work::Threads(run) => {
                run(Effort::WarmUp)?;
                return run(effort);
            }
            Work::Tasks(run) => (run, processors()),
            Work::TasksOfOneWorker(run) => (run, 1),
        };
        let runtime = runtime(workers);
        run(&runtime, Effort::WarmUp)?;
        run(&runtime, effort)
    }

    /// Measures the board and prints its line; returns whether the answer was right.
    pub fn print_line(&self, effort: Effort) -> bool {
        let answer = self.measure(effort);
        let mut line = format!("{{\"board\":\"{}\",\"peer\":\"{}\"", self.name, self.peer);
        let wrote = match &answer {
            Err(wrong) => write!(line, ",\"error\":{wrong:?}}}"),
            Ok(r) => write!(
                line,
                ",\"value\":{},\"unit\":\"{}\",\"items\":{},\"wall_s\":{},\"cpu_s\":{},\"items_per_s\":{},\
                 \"items_per_cpu_s\":{},\"peak_rss_mb\":{:.1},\"workers\":{}}}",
                r.value,
                r.unit,
                r.items,
                r.wall,
                r.cpu,
                r.items as f64 / r.wall,
                r.items as f64 / r.cpu.max(1e-9),
                peak_resident_mb(),
                processors(),
            ),
        };
        wrote.expect("a string takes what is written to it");
        println!("{line}");
        answer.is_ok()
    }
}
