//! What a pull has read so far, so that one that was cut goes on where it was.
//!
//! One answer a line, in the order in which they came. A line that was not finished when the process died is dropped. Answers to reads
//! hold no secret, but they tell of everybody, so the file is for this user only.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::commands::exchange::Answer;

/// The version of the file.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    pull: u32,
    from: String,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
struct Line {
    path: String,
    status: u16,
    body: Value,
}

/// The answers, and the file that keeps them if there is one.
pub struct Journal {
    file: Option<(PathBuf, File)>,
    known: HashMap<String, Answer>,
}

impl Journal {
    /// What is remembered of a pull from this server; nothing, if there is no file yet.
    pub fn open(path: Option<&Path>, from: &str) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, known: HashMap::new() }) };
        let name = path.display();
        let failed = || {
            format!(
                "cannot use {name}, which remembers how far a pull came; --state names another file"
            )
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).with_context(failed)?;
        let head = Head { pull: VERSION, from: from.to_owned() };
        let (known, end) = match read(&file, &head).with_context(failed)? {
            Found::Nothing => {
                let text = serde_json::to_string(&head)? + "\n";
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| file.write_all(text.as_bytes()))
                    .with_context(failed)?;
                (HashMap::new(), text.len() as u64)
            }
            Found::Answers(known, end) => (known, end),
            Found::Else => bail!(
                "{name} remembers another pull, or is something else; delete it to begin anew, or name another file with --state"
            ),
        };
        file.set_len(end)
            .and_then(|()| file.seek(SeekFrom::End(0)).map(drop))
            .with_context(failed)?;
        Ok(Self { file: Some((path.to_owned(), file)), known })
    }

    /// What was answered to this path.
    pub fn known(&self, path: &str) -> Option<Answer> {
        self.known.get(path).cloned()
    }

    /// Keeps an answer.
    pub fn keep(&mut self, path: &str, (status, body): &Answer) -> Result<()> {
        let Some((place, file)) = &mut self.file else { return Ok(()) };
        let line = Line { path: path.to_owned(), status: *status, body: body.clone() };
        let text = serde_json::to_string(&line)? + "\n";
        // One write, so that a process that dies leaves at most one broken line.
        file.write_all(text.as_bytes())
            .with_context(|| format!("cannot write to {}", place.display()))
    }

    /// Ends it: the pull is complete.
    pub fn forget(self) -> Result<()> {
        let Some((path, _)) = self.file else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| {
                format!("everything was read, but {} could not be removed", path.display())
            }),
            _ => Ok(()),
        }
    }
}

enum Found {
    Nothing,
    Answers(HashMap<String, Answer>, u64),
    Else,
}

/// Reads up to the last whole line.
fn read(file: &File, head: &Head) -> Result<Found> {
    let (mut reader, mut text, mut end) = (BufReader::new(file), String::new(), 0);
    let mut known = HashMap::new();
    let mut is_head = true;
    loop {
        text.clear();
        let length = match reader.read_line(&mut text) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(Found::Else),
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            return Ok(if is_head { Found::Nothing } else { Found::Answers(known, end) });
        }
        let is_whole = text.ends_with('\n');
        if is_head {
            match serde_json::from_str::<Head>(&text) {
                Ok(found) if is_whole && found == *head => {}
                // A process that died at once leaves half a head, and nothing that is lost with it.
                _ if !is_whole && serde_json::to_string(head)?.starts_with(&text) => {
                    return Ok(Found::Nothing);
                }
                _ => return Ok(Found::Else),
            }
            is_head = false;
        } else if is_whole {
            let Ok(line) = serde_json::from_str::<Line>(&text) else { return Ok(Found::Else) };
            known.insert(line.path, (line.status, line.body));
        } else {
            return Ok(Found::Answers(known, end));
        }
        end += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::tempdir;

    use super::*;

    const FROM: &str = "http://127.0.0.1:1/v1";

    #[test]
    fn a_journal_is_read_up_to_its_last_whole_line() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("state");
        let open = || Journal::open(Some(&path), FROM).unwrap();
        let mut journal = open();
        journal.keep("/a", &(200, json!({ "id": 1 }))).unwrap();
        journal.keep("/b", &(404, json!({}))).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let first_two = whole
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(place, _)| place + 1)
            .nth(1)
            .unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut journal = open();
            assert_eq!(journal.known("/a").is_some(), length >= first_two, "{length}");
            assert_eq!(journal.known("/b").is_some(), length == whole.len(), "{length}");
            journal.keep("/c", &(200, json!([]))).unwrap();
            drop(journal);
            assert_eq!(open().known("/c"), Some((200, json!([]))), "{length}");
        }
        open().forget().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_is_something_else_is_left_alone() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("state");
        for text in [
            "important\n",
            "{\"pull\":1,\"from\":\"http://elsewhere/v1\"}\n",
            "{",
            "\u{feff}",
            "important",
        ] {
            fs::write(&path, text).unwrap();
            let is_begun = text == "{";
            assert_eq!(Journal::open(Some(&path), FROM).is_ok(), is_begun, "{text}");
            assert!(is_begun || fs::read_to_string(&path).unwrap() == text);
        }
        fs::write(&path, [0xFF, 0xFE, b'\n']).unwrap();
        assert!(Journal::open(Some(&path), FROM).is_err());
    }
}
