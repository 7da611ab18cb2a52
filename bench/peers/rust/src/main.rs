//! The boards in Rust: the same work, the same JSON lines as the C++ ones (bench/harness.cpp).
//!
//! usage: rust-boards [--quick] [--list | --board PEER/BOARD]

mod harness;
mod tasks;
mod threads;

use harness::{Board, Effort};
use std::process::ExitCode;

// How much each board does at full effort, as in bench/sizes.hpp.
const PING_PONG_TOTAL: i64 = 500_000;
const QUEUE_TOTAL: i64 = 2_000_000;
const PAIR_TOTAL: i64 = 10_000_000;
const PIPELINE_TOTAL: i64 = 1_000_000;

fn run(boards: &[Board], effort: Effort, only: Option<&str>) -> Result<bool, String> {
    let full_name = |board: &Board| format!("{}/{}", board.peer, board.name);
    let chosen: Vec<_> = boards.iter().filter(|board| only.map_or(true, |name| name == full_name(board))).collect();
    if chosen.is_empty() {
        return Err(format!("There is no board {}; see --list.", only.unwrap_or_default()));
    }
    // A second thread for the life of the program, as in every contender.
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let companion = std::thread::spawn(move || ended.recv());
    let right = chosen.iter().filter(|board| board.print_line(effort)).count();
    drop(end);
    companion.join().expect("a thread that ends").expect_err("nobody sends anything");
    Ok(right == chosen.len())
}

fn main() -> ExitCode {
    let boards: Vec<_> = tasks::boards().into_iter().chain(threads::boards()).collect();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (effort, rest) = match words.as_slice() {
        ["--quick", rest @ ..] => (Effort::Quick, rest),
        rest => (Effort::Full, rest),
    };
    let outcome = match rest {
        ["--list"] => {
            boards.iter().for_each(|board| println!("{}/{}", board.peer, board.name));
            Ok(true)
        }
        [] => run(&boards, effort, None),
        ["--board", name] => run(&boards, effort, Some(name)),
        _ => Err("usage: rust-boards [--quick] [--list | --board PEER/BOARD]".to_string()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("rust-boards: {sentence}");
            ExitCode::from(2)
        }
    }
}
