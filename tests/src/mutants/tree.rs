//! A copy of the tree that patches are applied to.
//!
//! The copy stays between runs, and only files that differ are written: cargo rebuilds what a patch touches and what depends on
//! it, and nothing else.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Directories that are never part of the tree.
const NOT_OURS: [&str; 2] = ["target", ".git"];

/// The copy, held by one process at a time.
#[derive(Debug)]
pub struct Tree {
    source: PathBuf,
    home: PathBuf,
    _lock: File,
}

/// The workspace that this crate was built in.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a workspace").to_path_buf()
}

impl Tree {
    /// A copy of `source` under `home`, equal to it.
    pub fn copy(source: &Path, home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home.join("tree"))?;
        let home = home.canonicalize()?;
        let lock = File::create(home.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other(format!("{} is in use by another run", home.display())))?;
        let tree = Self { source: source.to_path_buf(), home, _lock: lock };
        tree.restore()?;
        Ok(tree)
    }

    /// Where the copy is.
    pub fn path(&self) -> PathBuf {
        self.home.join("tree")
    }

    /// Where cargo builds the copy.
    pub fn target(&self) -> PathBuf {
        self.home.join("build")
    }

    /// The last command's output.
    pub fn log(&self) -> PathBuf {
        self.home.join("last-output.txt")
    }

    /// Makes the copy equal to the source again.
    pub fn restore(&self) -> io::Result<()> {
        let wanted = files(&self.source)?;
        for file in walk(&self.path())?.difference(&wanted) {
            fs::remove_file(self.path().join(file))?;
        }
        for file in &wanted {
            let (bytes, to) = (fs::read(self.source.join(file))?, self.path().join(file));
            if fs::read(&to).ok().as_ref() != Some(&bytes) {
                fs::create_dir_all(to.parent().expect("a file lies in a directory"))?;
                fs::write(&to, bytes)?;
            }
        }
        Ok(())
    }

    /// Applies a patch to the copy.
    pub fn apply(&self, patch: &str) -> io::Result<()> {
        git_apply(&self.path(), &["apply"], patch)
    }
}

/// Whether a patch would apply to the tree at `root`, which is left as it is.
pub fn applies(root: &Path, patch: &str) -> io::Result<()> {
    git_apply(root, &["apply", "--check"], patch)
}

fn git_apply(root: &Path, arguments: &[&str], patch: &str) -> io::Result<()> {
    // Inside a repository git takes paths relative to that one's root and passes over what lies outside, silently.
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .env("GIT_DIR", root.join("no-repository"))
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().expect("it is piped").write_all(patch.as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("does not apply: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }
}

/// The tracked files of a repository; without one, everything but what cargo made.
fn files(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let listed = Command::new("git").args(["ls-files", "-z", "--cached"]).current_dir(root).output();
    let tracked: BTreeSet<_> = match listed {
        Ok(output) if output.status.success() && root.join(".git").exists() => {
            let names = output.stdout.split(|byte| *byte == 0);
            names.map(|name| PathBuf::from(String::from_utf8_lossy(name).as_ref())).collect()
        }
        _ => return walk(root),
    };
    Ok(tracked.into_iter().filter(|file| root.join(file).is_file()).collect())
}

fn walk(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let (mut found, mut directories) = (BTreeSet::new(), vec![PathBuf::new()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            let is_ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
            match entry.file_type()? {
                kind if kind.is_dir() && is_ours => directories.push(path),
                kind if kind.is_file() => {
                    found.insert(path);
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "# breaks: it\n--- a/file\n+++ b/file\n@@ -1 +1 @@\n-right\n+wrong\n";

    #[test]
    fn a_patch_changes_the_copy_only_and_is_taken_back() {
        let place = std::env::temp_dir().join(format!("quorate-tree-{}", std::process::id()));
        let source = place.join("source");
        fs::create_dir_all(&source).expect("a place");
        fs::write(source.join("file"), "right\n").expect("written");
        let tree = Tree::copy(&source, &place.join("home")).expect("copied");
        applies(&source, PATCH).expect("it applies");
        tree.apply(PATCH).expect("applied");
        let is = |path: &Path| fs::read_to_string(path.join("file")).expect("read");
        assert_eq!((is(&source).as_str(), is(&tree.path()).as_str()), ("right\n", "wrong\n"));
        applies(&tree.path(), PATCH).expect_err("it is applied already");
        tree.restore().expect("restored");
        assert_eq!(is(&tree.path()), "right\n");
        fs::remove_dir_all(&place).expect("removed");
    }
}
