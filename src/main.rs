//! The `nigh` command.

fn main() -> std::process::ExitCode {
    nigh::cli::main()
}
