//! A report's files.

use crate::{exit::Failure, home::file_failure};
use std::{fs, path::Path};

/// Writes files into a directory, which is made if it is not there. Those of the same names are replaced.
pub(super) fn write(dir: &Path, files: &[(&str, String)]) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(|error| file_failure("create", dir, &error))?;
    for (name, text) in files {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|error| file_failure("write", &path, &error))?;
    }
    Ok(())
}
