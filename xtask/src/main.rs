//! `cargo xtask`: the commands of this repository. `cargo xtask help` lists them.

mod args;
mod bench;
mod cargo;
mod check;
mod compress;
mod debian;
mod failure;
mod fuzz;
mod npm;
mod process;
mod report;
mod sim;
mod test;
mod toolchain;
mod torture;
mod up;
mod web;
mod workspace;

use std::process::ExitCode;

use args::Task;

fn main() -> ExitCode {
    let task = match args::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(problem) => {
            eprintln!("{problem}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let outcome = match task {
        Task::Help => {
            println!("{}", args::HELP);
            Ok(())
        }
        Task::Up(options) => up::run(&options),
        Task::Web => web::run(),
        Task::Test(options) => test::run(options),
        Task::Check => check::run(),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Torture(arguments) => torture::run(&arguments),
        Task::Sim(options) => sim::run(options),
        Task::Fuzz(options) => fuzz::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // `test` must end with its line of figures, so it alone prints what failed by itself.
        Err(failure) if failure.is_told() => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
