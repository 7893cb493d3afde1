//! The file that holds the first admin key when there is no terminal to show it on.
//!
//! It is on the disk before the organization is committed, under a name of its own, and gets its final name afterwards. So
//! whenever the process dies, either the organization does not exist or its key is in a file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use admin::domain::secret::PlainKey;
use anyhow::{Context, Result};
use tempfile::{Builder, NamedTempFile};

use crate::config::Settings;

/// The URL of a store that ends with its process.
pub const MEMORY: &str = "sqlite::memory:";
const NAME: &str = "rollbook-admin-key";

/// Where the key is to be found: beside the database file, or in the working directory if there is none.
pub fn path(settings: &Settings) -> PathBuf {
    let file = settings.database.strip_prefix("sqlite:").filter(|_| settings.database != MEMORY);
    let beside = file.and_then(|file| Path::new(file).parent()).unwrap_or(Path::new(""));
    settings.key_file.clone().unwrap_or_else(|| beside.join(NAME))
}

/// A key on the disk that nobody needs yet. Dropping it removes it.
pub struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Writes the key, readable by this user only, into a new file beside `path`.
    pub fn write(path: PathBuf, key: &PlainKey) -> Result<Self> {
        let explanation = || {
            format!(
                "cannot write the admin key to {}; --key-file names another file",
                path.display()
            )
        };
        let folder = folder(&path);
        // The library creates files exclusively and with mode 0600.
        let mut file = Builder::new()
            .prefix(&format!(".{NAME}."))
            .tempfile_in(folder)
            .with_context(explanation)?;
        writeln!(file, "{}", key.expose())
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| File::open(folder)?.sync_all())
            .with_context(explanation)?;
        Ok(Self { file, path })
    }

    /// Gives the file its final name and answers where the key is. If the name was taken meanwhile the file stays where it is:
    /// another key may be in the other one.
    pub fn publish(self) -> Result<PathBuf> {
        let folder = folder(&self.path).to_owned();
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => {
                File::open(folder)?.sync_all()?;
                Ok(self.path)
            }
            Err(error) => Ok(error.file.keep()?.1),
        }
    }

    /// Leaves the file under its own name: it is not known whether the key in it will be needed.
    pub fn keep(self) -> Result<PathBuf> {
        Ok(self.file.keep()?.1)
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_beside_the_database_unless_told_otherwise() {
        let at = |database: &str| Settings { database: database.to_owned(), ..Settings::default() };
        let key_file = |database: &str| path(&at(database)).display().to_string();
        assert_eq!(
            key_file("sqlite:/var/lib/rollbook/store.db"),
            "/var/lib/rollbook/rollbook-admin-key"
        );
        assert_eq!(key_file("sqlite:store.db"), "rollbook-admin-key");
        assert_eq!(key_file("sqlite::memory:"), "rollbook-admin-key");
        assert_eq!(key_file("postgres://rollbook@db/rollbook"), "rollbook-admin-key");
        let named = Settings { key_file: Some("/run/key".into()), ..at("sqlite:store.db") };
        assert_eq!(path(&named), Path::new("/run/key"));
    }
}
