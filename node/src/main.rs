//! The `quorate` command.

/// Messages, batches and states are many small pieces made in one thread and dropped in another: the simulator is a tenth
/// faster with it than with glibc's, and musl's is slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    quorate_node::cli::main()
}
