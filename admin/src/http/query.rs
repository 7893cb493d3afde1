//! Query strings, read by hand where the words of a refusal matter.

use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::{Error, Result};

/// The parameters of a request, undecided: each reader below checks what it takes, so faults surface where the handler
/// asks, after the checks that come first.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or("")))
    }
}

impl Query {
    /// Splits and decodes a query string.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A parameter that may be given once.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        let mut values =
            self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            let message = format!("Duplicate parameter: '{name}'. Send it once.");
            return Err(Error::invalid("duplicate_parameter", message).param(name));
        }
        Ok(first)
    }

    /// A whole number within bounds.
    pub fn integer(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong_type(name, "an integer", "a string"));
        }
        // A number too long for any integer is out of bounds, not of the wrong type.
        let value = text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX });
        if value > *bounds.end() {
            let message = format!(
                "Invalid '{name}': integer above maximum value. Expected a value <= {}, but got {text} instead.",
                bounds.end()
            );
            return Err(Error::invalid("integer_above_max_value", message).param(name));
        }
        if value < *bounds.start() {
            let message = format!(
                "Invalid '{name}': integer below minimum value. Expected a value >= {}, but got {text} instead.",
                bounds.start()
            );
            return Err(Error::invalid("integer_below_min_value", message).param(name));
        }
        Ok(Some(value))
    }

    /// A truth value, as `true`/`false` in any case or `1`/`0`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.text(name)?.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(wrong_type(name, "a boolean", "a string")),
        }
    }

    /// One of a few words.
    pub fn one_of(&self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let known = words.iter().find(|word| **word == text);
        known.copied().map(Some).ok_or_else(|| Error::unsupported_value(name, text, words))
    }

    /// A list in any spelling that clients use: `name[]=a&name[]=b`, `name=a&name=b` or `name=a,b`.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let named = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        let values: Vec<_> =
            self.0.iter().filter(|(key, _)| named(key)).map(|(_, value)| value.as_str()).collect();
        match values.as_slice() {
            [] => None,
            [one] => Some(one.split(',').filter(|part| !part.is_empty()).collect()),
            _ => Some(values),
        }
    }

    /// A list of values that may have commas in them: `name[]=a&name[]=b` or `name=a&name=b`.
    #[must_use]
    pub fn whole_list(&self, name: &str) -> Vec<&str> {
        let named = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        let values = self.0.iter().filter(|(key, _)| named(key)).map(|(_, value)| value.as_str());
        values.filter(|value| !value.is_empty()).collect()
    }

    /// A list as [`list`](Self::list) reads it with at most so many values, where each costs something.
    pub fn bounded_list(&self, name: &str, most: usize) -> Result<Option<Vec<&str>>> {
        let list = self.list(name);
        match list.as_ref().map_or(0, Vec::len) {
            count if count > most => {
                let message = format!(
                    "Invalid '{name}': array too long. Expected at most {most} values, but got {count}."
                );
                Err(Error::invalid("array_above_max_length", message).param(name))
            }
            _ => Ok(list),
        }
    }

    /// A position in a list. Empty means the beginning.
    pub fn cursor(&self, name: &str) -> Result<Option<&str>> {
        match self.text(name)? {
            None | Some("") => Ok(None),
            Some(text) if text.len() > 256 || text.chars().any(char::is_control) => {
                let message = format!(
                    "Invalid '{name}': a cursor has at most 256 bytes and no control characters. Use an id from the previous page."
                );
                Err(Error::invalid("invalid_value", message).param(name))
            }
            Some(text) => Ok(Some(text)),
        }
    }
}

fn wrong_type(name: &str, expected: &str, got: &str) -> Error {
    let message = format!("Invalid type for '{name}': expected {expected}, but got {got} instead.");
    Error::invalid("invalid_type", message).param(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_all_three_spellings() {
        for text in ["emails[]=a%40x&emails[]=b", "emails=a%40x&emails=b", "emails=a%40x,b"] {
            assert_eq!(Query::parse(text).list("emails"), Some(vec!["a@x", "b"]), "{text}");
        }
        assert_eq!(Query::parse("").list("emails"), None);
        assert_eq!(Query::parse("emails=").list("emails"), Some(vec![]));
        assert_eq!(Query::parse("x=a,+b&x[]=c&x=").whole_list("x"), ["a, b", "c"]);
    }

    #[test]
    fn booleans_are_read_in_the_spellings_that_clients_send() {
        for (text, value) in
            [("true", true), ("True", true), ("1", true), ("FALSE", false), ("0", false)]
        {
            assert_eq!(Query::parse(&format!("b={text}")).boolean("b").unwrap(), Some(value));
        }
        assert_eq!(Query::parse("b=yes").boolean("b").unwrap_err().code, Some("invalid_type"));
    }

    #[test]
    fn integers_too_long_for_a_machine_word_are_out_of_bounds() {
        let error = |text: &str| Query::parse(text).integer("limit", 1..=100).unwrap_err();
        assert_eq!(error("limit=99999999999999999999").code, Some("integer_above_max_value"));
        assert_eq!(error("limit=-99999999999999999999").code, Some("integer_below_min_value"));
        for text in
            ["limit=", "limit=-", "limit=1.5", "limit=1e3", "limit=0x10", "limit=%201", "limit=١"]
        {
            assert_eq!(error(text).code, Some("invalid_type"), "{text}");
        }
    }
}
