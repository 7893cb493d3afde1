//! A file that is not complete yet: hidden, in a folder of its own on the same disk, gone if anything fails.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::{Builder, NamedTempFile, TempDir};

/// A file on its way to its final name. SQLite may put files of its own beside it; dropping this removes them all.
pub struct Draft {
    file: NamedTempFile,
    _folder: TempDir,
}

impl Draft {
    /// An empty file, for this user only, on the disk where `target` is to be.
    pub fn beside(target: &Path) -> Result<Self> {
        let place = folder(target);
        let private = Permissions::from_mode(0o700);
        let made = Builder::new().prefix(".rollbook-").permissions(private).tempdir_in(place);
        let file = made.and_then(|folder| {
            // The library creates files exclusively and with mode 0600.
            Ok(Self { file: NamedTempFile::new_in(folder.path())?, _folder: folder })
        });
        file.with_context(|| {
            format!("cannot write into {}; it must exist and belong to this user", place.display())
        })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Syncs the file and gives it its name, and answers its size. Without `replace` a file that has got this name by now is
    /// left alone.
    pub fn publish(self, target: &Path, replace: bool) -> Result<u64> {
        let publish = || -> Result<u64> {
            self.file.as_file().sync_all()?;
            let file = if replace {
                self.file.persist(target)?
            } else {
                self.file.persist_noclobber(target)?
            };
            File::open(folder(target))?.sync_all()?;
            Ok(file.metadata()?.len())
        };
        publish().with_context(|| format!("cannot write {}", target.display()))
    }
}

/// The folder in which a file is.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
