//! One process per data directory.

use crate::{
    exit::Failure,
    home::{Home, create_private_dir, file_failure},
};
use std::{
    fs::{self, File, TryLockError},
    io::{Seek, SeekFrom, Write},
};

/// The right to use a data directory; given back when dropped, or when the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock, or names the process that has it.
    pub fn take(home: &Home) -> Result<Self, Failure> {
        create_private_dir(&home.data_dir())?;
        let path = home.lock();
        let io = |error: std::io::Error| file_failure("lock", &path, &error);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Self::taken(home)),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(io)?;
        file.write_all(pid.as_bytes()).map_err(io)?;
        Ok(Self { _file: file })
    }

    /// Whether some process holds the lock at this moment.
    pub fn is_taken(home: &Home) -> bool {
        File::options().read(true).open(home.lock()).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    fn taken(home: &Home) -> Failure {
        let text = fs::read_to_string(home.lock()).unwrap_or_default();
        let pid = text.trim();
        let by = if pid.is_empty() { "another process".to_owned() } else { format!("process {pid}") };
        let failure = Failure::environment(format!("{} is in use by {by}", home.data_dir().display()));
        if pid.is_empty() { failure } else { failure.hint(format!("kill {pid}, or choose another --home")) }
    }
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
