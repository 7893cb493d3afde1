//! Tokens of pages: where a page begins, good for the question that gave it and no other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What stands before a token.
const PREFIX: &str = "page_";
/// How tokens are made today.
const VERSION: u8 = 1;

/// The question that a token belongs to: a hash of all that was asked.
pub type Question = [u8; 16];

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What was asked.
    pub question: Question,
    /// The beginning of the first bucket of the page.
    pub start: i64,
    /// The end of what was asked for. Where the question has none, it is the time of the first page.
    pub end: i64,
}

/// The hash of a question.
pub fn question(asked: Sha256) -> Question {
    let mut question = Question::default();
    question.copy_from_slice(&asked.finalize()[..16]);
    question
}

impl Token {
    /// The token as it is sent.
    pub fn text(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.question);
        bytes.extend_from_slice(&self.start.to_be_bytes());
        bytes.extend_from_slice(&self.end.to_be_bytes());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token that is sent as this text.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (&[VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (question, rest) = rest.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let end = rest.try_into().ok()?;
        Some(Self {
            question: *question,
            start: i64::from_be_bytes(*start),
            end: i64::from_be_bytes(end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_nothing_else_is_one() {
        let token = Token { question: [7; 16], start: -60, end: i64::MAX };
        let text = token.text();
        assert_eq!(Token::read(&text), Some(token));
        for length in 0..text.len() {
            assert_eq!(Token::read(&text[..length]), None);
        }
        for wrong in ["", "page_", "page_AAAA", &format!("{text}A"), &text[5..], "page_Ä"] {
            assert_eq!(Token::read(wrong), None, "{wrong}");
        }
    }
}
