//! The program `causeway-relay`; everything else is the library.

fn main() -> std::process::ExitCode {
    causeway_relay::cli::main()
}
