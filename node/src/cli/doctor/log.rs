//! What a node that does not answer has said last.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// So much of the end of a log is looked at.
const LOG_BYTES: u64 = 64 * 1024;

/// What a node that has ended complained of last.
pub(super) fn last_error(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES))).ok()?;
    let mut end = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut end).ok()?;
    let text = String::from_utf8_lossy(&end);
    let line = text.lines().rev().find_map(|line| line.split_once(" ERROR ").map(|(_, said)| said.trim().to_owned()));
    line.filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complaint_of_a_log_is_found_however_long_the_log() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let log = dir.path().join("node2.log");
        assert_eq!(last_error(&log), None, "there is no log");
        let noise = "2026-01-01T00:00:00Z  INFO quorate: nothing\n".repeat(4_000);
        std::fs::write(&log, format!("x ERROR first\n{noise}")).expect("written");
        assert_eq!(last_error(&log), None, "long ago");
        let end = "2026-01-01T00:00:01Z ERROR quorate_node: the validator stops reason=\"disk full\"\n";
        std::fs::write(&log, format!("{noise}{end}2026-01-01T00:00:02Z  INFO quorate: ended\n")).expect("written");
        assert_eq!(last_error(&log).as_deref(), Some("quorate_node: the validator stops reason=\"disk full\""));
    }
}
