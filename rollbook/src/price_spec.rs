//! Prices as the settings name them: `gpt-4o input_uncached_tokens=2.50/1000000 output_tokens=10/1000000 from=2026-01-01`.

use std::fmt;
use std::str::FromStr;

use admin::usage::prices::NewPrice;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// What measures of a model cost, or what uses of tools do, from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PriceSpec(pub Vec<NewPrice>);

/// Reads the day from which on a price holds, in UTC, or a time in Unix seconds.
pub fn from(text: &str) -> Result<i64, String> {
    let day = || {
        let midnight = text.parse::<Date>().ok()?.at(0, 0, 0, 0);
        Some(Offset::UTC.to_timestamp(midnight).ok()?.as_second())
    };
    let moment = text.parse().ok().or_else(day).filter(|from| *from >= 0);
    moment.ok_or_else(|| format!("'{text}' is no day like 2026-01-31 and no Unix time"))
}

/// Reads a price, with the number of units that it is for.
pub fn price(text: &str) -> Result<(String, i64), String> {
    let (price, units) = text.split_once('/').unwrap_or((text, "1"));
    let units = units.parse().map_err(|_| format!("'{units}' is no number of units"))?;
    Ok((price.to_owned(), units))
}

impl FromStr for PriceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let model = words.next_if(|word| !word.contains('=')).unwrap_or_default();
        let (mut prices, mut effective_from) = (Vec::<NewPrice>::new(), None);
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if name == "from" {
                if effective_from.replace(from(value)?).is_some() {
                    return Err("'from' is there twice".to_owned());
                }
                continue;
            }
            if prices.iter().any(|price| price.measure == name) {
                return Err(format!("'{name}' is there twice"));
            }
            let (price, units) = price(value)?;
            let (model, measure) = (model.to_owned(), name.to_owned());
            prices.push(NewPrice { model, measure, effective_from: 0, price, units });
        }
        if prices.is_empty() {
            return Err("there is no price; write MEASURE=DOLLARS/UNITS".to_owned());
        }
        for price in &mut prices {
            price.effective_from = effective_from.unwrap_or(0);
            price.check().map_err(|error| error.message)?;
        }
        Ok(Self(prices))
    }
}

impl fmt::Display for PriceSpec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(first) = self.0.first().filter(|first| !first.model.is_empty()) {
            words.push(first.model.clone());
        }
        for NewPrice { measure, price, units, .. } in &self.0 {
            let units = if *units == 1 { String::new() } else { format!("/{units}") };
            words.push(format!("{measure}={price}{units}"));
        }
        if let Some(first) = self.0.first().filter(|first| first.effective_from > 0) {
            words.push(format!("from={}", first.effective_from));
        }
        out.write_str(&words.join(" "))
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
    fn prices_are_read_and_written_alike() {
        for text in [
            "gpt-4o input_uncached_tokens=2.50/1000000 output_tokens=10/1000000",
            "tts-1 characters=15/1000000 from=1767225600",
            "web_search_calls=0.01 file_search_calls=0.0025",
        ] {
            assert_eq!(text.parse::<PriceSpec>().unwrap().to_string(), text);
        }
        let spec = " m   images=0.04  from=2026-01-01".parse::<PriceSpec>().unwrap();
        assert_eq!(spec.to_string(), "m images=0.04 from=1767225600");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, fault) in [
            ("", "there is no price"),
            ("m", "there is no price"),
            ("m images", "is not a plain decimal"),
            ("m images=1e3", "is not a plain decimal"),
            ("m images=1/x", "'x' is no number of units"),
            ("m images=1/3", "no exact price of one unit"),
            ("m tokens=1", "Supported values are"),
            ("images=1", "Supported values are"),
            ("m images=1 images=2", "'images' is there twice"),
            ("m images=1 from=2026-13-01", "is no day"),
            ("m images=1 from=1 from=2", "'from' is there twice"),
        ] {
            let told = text.parse::<PriceSpec>().unwrap_err();
            assert!(told.contains(fault), "{text}: {told}");
        }
    }
}
