//! Answers requests about the cryptography and the formats, one JSON line each. See `quorate_tests::conformance`.

use std::{io, process::ExitCode};

fn main() -> ExitCode {
    match quorate_tests::conformance::serve(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever asked no longer listens.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}
