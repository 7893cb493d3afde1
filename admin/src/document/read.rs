//! Reads a document that somebody wrote.

use serde_json::Value;

use super::fault::Fault;
use super::format::words::Plain;
use super::format::{Document, VERSION};
use crate::domain::secret::{KeyHash, mask};

/// Reads a document. Keys in plain text are hashed at once. What is said of the organization is not looked at before it is restored.
pub fn parse(text: &str) -> Result<Document, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut document: Document =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { "$".to_owned() } else { format!("$.{path}") };
            Fault::at(path, error.into_inner().to_string())
        })?;
    reader.end().map_err(|error| Fault::at("$", error.to_string()))?;
    if let Some(version) = document.version.filter(|version| *version != VERSION) {
        let reason = format!("version {version} of the format is not known here; write {VERSION}");
        return Err(Fault::at("$.version", reason));
    }
    // JSON can only escape it, so that most texts need not be looked through.
    if text.contains("\\u0000") {
        let value: Value =
            serde_json::from_str(text).map_err(|error| Fault::at("$", error.to_string()))?;
        if let Some(path) = nul(&value) {
            return Err(Fault::at(format!("${path}"), "must not contain the character NUL"));
        }
    }
    seal(&mut document)?;
    Ok(document)
}

/// Where a text contains NUL, which no store can keep.
fn nul(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(all) => {
            let found = |(place, value)| Some(format!("[{place}]{}", nul(value)?));
            all.iter().enumerate().find_map(found)
        }
        Value::Object(all) => {
            all.iter().find_map(|(name, value)| Some(format!(".{name}{}", nul(value)?)))
        }
        _ => None,
    }
}

/// Hashes every key in plain text, so that nothing else than the caller's own text holds one any more.
pub(super) fn seal(document: &mut Document) -> Result<(), Fault> {
    for (place, key) in document.admin_api_keys.iter_mut().enumerate() {
        seal_key(&mut key.value, &mut key.secret_sha256, &mut key.redacted_value)
            .map_err(|reason| Fault::at(format!("$.admin_api_keys[{place}].value"), reason))?;
    }
    for (project, within) in document.projects.iter_mut().enumerate() {
        for (place, key) in within.api_keys.iter_mut().enumerate() {
            seal_key(&mut key.value, &mut key.secret_sha256, &mut key.redacted_value).map_err(
                |reason| {
                    Fault::at(format!("$.projects[{project}].api_keys[{place}].value"), reason)
                },
            )?;
        }
    }
    Ok(())
}

fn seal_key(
    value: &mut Option<Plain>,
    hash: &mut Option<String>,
    redacted: &mut Option<String>,
) -> Result<(), &'static str> {
    let Some(Plain(value)) = value.take() else { return Ok(()) };
    if hash.is_some() {
        return Err("stands beside secret_sha256; write one of the two");
    }
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be a key as it stands in a header: visible ASCII without spaces");
    }
    *hash = Some(hex(KeyHash::of(&value).bytes()));
    redacted.get_or_insert_with(|| mask(&value));
    Ok(())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The 32 bytes behind 64 hexadecimal digits in lower case.
pub(super) fn hash_of(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}
