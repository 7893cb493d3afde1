//! A model as the settings name it: `gpt-4o requests-per-minute=500 tokens-per-minute=30000`.

use std::fmt;
use std::str::FromStr;

use admin::resources::rate_limits::limits::{Limits, UNLIMITED};
use admin::resources::rate_limits::models::{NewModel, fault_of_name};
use serde::{Deserialize, Serialize};

/// What the limits are called here, in the order in which they are kept.
pub const NAMES: [&str; 6] = [
    "requests-per-minute",
    "tokens-per-minute",
    "images-per-minute",
    "audio-megabytes-per-minute",
    "requests-per-day",
    "batch-tokens-per-day",
];

/// A model with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelSpec(pub NewModel);

impl ModelSpec {
    /// The name of the model.
    pub fn name(&self) -> &str {
        &self.0.id
    }
}

/// Reads a limit.
pub fn limit(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (0..=UNLIMITED).contains(number));
    number.ok_or_else(|| format!("'{text}' is no whole number from 0 to {UNLIMITED}"))
}

/// A name as an argument.
pub fn name(text: &str) -> Result<String, String> {
    fault_of_name(text).map_or_else(|| Ok(text.to_owned()), |fault| Err(fault.to_owned()))
}

impl FromStr for ModelSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let id = words.next().unwrap_or_default();
        let id = name(id).map_err(|fault| format!("the name of a model {fault}"))?;
        let mut limits = Limits::default();
        for word in words {
            let (name, number) = word.split_once('=').unwrap_or((word, ""));
            let place = NAMES.iter().position(|known| *known == name).ok_or_else(|| {
                format!("'{name}' is no limit of a model; there are {}", NAMES.join(", "))
            })?;
            if limits.0[place].replace(limit(number)?).is_some() {
                return Err(format!("'{name}' is there twice"));
            }
        }
        Ok(Self(NewModel { id, limits }))
    }
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.id)?;
        for (name, limit) in NAMES.iter().zip(self.0.limits.0) {
            limit.map_or(Ok(()), |limit| write!(out, " {name}={limit}"))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for ModelSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ModelSpec> for String {
    fn from(spec: ModelSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_and_written_alike() {
        for text in [
            "gpt-4o",
            "ft:gpt-4o:acme::1 requests-per-minute=0",
            "o3 requests-per-minute=500 tokens-per-minute=30000 images-per-minute=1 audio-megabytes-per-minute=2 \
             requests-per-day=3 batch-tokens-per-day=2147483647",
        ] {
            assert_eq!(text.parse::<ModelSpec>().unwrap().to_string(), text);
        }
        let spread = "  m   tokens-per-minute=1  ".parse::<ModelSpec>().unwrap();
        assert_eq!(spread.to_string(), "m tokens-per-minute=1");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, fault) in [
            ("", "1 to 200 bytes"),
            ("a,b", "no spaces, commas"),
            ("m rpm=1", "'rpm' is no limit of a model; there are requests-per-minute,"),
            ("m requests-per-day", "'' is no whole number"),
            ("m requests-per-day=-1", "'-1' is no whole number from 0 to 2147483647"),
            ("m requests-per-day=2147483648", "is no whole number"),
            ("m requests-per-day=1 requests-per-day=1", "'requests-per-day' is there twice"),
        ] {
            let told = text.parse::<ModelSpec>().unwrap_err();
            assert!(told.contains(fault), "{text}: {told}");
        }
    }
}
