//! One process per data directory.

use crate::{
    exit::Failure,
    home::{Home, create_private_dir, file_failure},
};
use std::{
    fs::{self, File, TryLockError},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// The right to use a data directory; given back when dropped, or when the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock on a validator's data, or names the process that has it.
    pub fn take(home: &Home) -> Result<Self, Failure> {
        Self::take_file(&home.lock())
    }

    /// Takes the lock `path` on the directory that it lies in, or names the process that has it.
    pub fn take_file(path: &Path) -> Result<Self, Failure> {
        let directory = path.parent().unwrap_or(Path::new("."));
        create_private_dir(directory)?;
        let io = |error: std::io::Error| file_failure("lock", path, &error);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(path, directory)),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(io)?;
        file.write_all(pid.as_bytes()).map_err(io)?;
        Ok(Self { _file: file })
    }

    /// Whether some process uses the validator's data at this moment.
    pub fn is_taken(home: &Home) -> bool {
        let taken = |file: File| matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        File::open(home.lock()).is_ok_and(taken)
    }
}

fn taken(path: &Path, directory: &Path) -> Failure {
    let text = fs::read_to_string(path).unwrap_or_default();
    let pid = text.trim();
    let by = if pid.is_empty() { "another process".to_owned() } else { format!("process {pid}") };
    let failure = Failure::environment(format!("{} is in use by {by}", directory.display()));
    if pid.is_empty() { failure } else { failure.hint(format!("kill {pid}, or choose another --home")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_told_who_has_it() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let home = Home::new(dir.path());
        let first = DataLock::take(&home).expect("free");
        let failure = DataLock::take(&home).expect_err("taken");
        assert!(failure.to_string().contains(&format!("process {}", std::process::id())), "{failure}");
        assert!(DataLock::is_taken(&home));
        drop(first);
        assert!(!DataLock::is_taken(&home));
        DataLock::take(&home).expect("free again");
    }
}
