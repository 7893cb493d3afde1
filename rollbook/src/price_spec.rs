//! A price as the settings name it: `gpt-4o input_tokens 2.50 per=1000000 from=2026-12-01`.

use std::fmt;
use std::str::FromStr;

use admin::usage::prices::NewPrice;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::commands::price::{NO_MODEL, moment};

/// A price, with the model that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PriceSpec(pub NewPrice);

impl FromStr for PriceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let mut next = || words.next().unwrap_or_default().to_owned();
        let (model, measure, price) = (next(), next(), next());
        let model = if model == NO_MODEL { String::new() } else { model };
        // Without a beginning it has held always.
        let mut new = NewPrice { model, measure, effective_from: 0, price, units: 1 };
        for word in words {
            match word.split_once('=') {
                Some(("per", units)) => {
                    new.units =
                        units.parse().map_err(|_| format!("'{units}' is no number of units"))?;
                }
                Some(("from", from)) => new.effective_from = moment(from)?,
                _ => {
                    return Err(format!(
                        "'{word}' is no part of a price; write MODEL MEASURE PRICE per=UNITS from=DATE"
                    ));
                }
            }
        }
        new.check().map_err(|error| error.message)?;
        Ok(Self(new))
    }
}

impl fmt::Display for PriceSpec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewPrice { model, measure, effective_from, price, units } = &self.0;
        let model = if model.is_empty() { NO_MODEL } else { model };
        write!(out, "{model} {measure} {price}")?;
        if *units != 1 {
            write!(out, " per={units}")?;
        }
        match Timestamp::from_second(*effective_from) {
            Ok(from) if *effective_from != 0 => write!(out, " from={from}"),
            _ => Ok(()),
        }
    }
}

impl TryFrom<String> for PriceSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PriceSpec> for String {
    fn from(spec: PriceSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_and_written_alike() {
        for text in [
            "gpt-4o input_tokens 2.50 per=1000000",
            "gpt-image-1 images 0.04 from=2026-12-01T00:00:00Z",
            "- web_search_calls 10 per=1000 from=2026-12-01T00:00:01Z",
        ] {
            assert_eq!(text.parse::<PriceSpec>().unwrap().to_string(), text);
        }
        let dated = "m images 1 from=2026-12-01".parse::<PriceSpec>().unwrap();
        assert_eq!(dated.to_string(), "m images 1 from=2026-12-01T00:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, fault) in [
            ("m images", "is not a plain decimal"),
            ("m images -1", "is not a plain decimal"),
            ("m images 1 per=many", "'many' is no number of units"),
            ("m images 1 per=3", "no exact price of one unit"),
            ("m images 1 from=soon", "write a date or a time"),
            ("m images 1 each", "'each' is no part of a price"),
            ("m sheep 1", "sheep"),
        ] {
            let told = text.parse::<PriceSpec>().unwrap_err();
            assert!(told.contains(fault), "{text}: {told}");
        }
    }
}
