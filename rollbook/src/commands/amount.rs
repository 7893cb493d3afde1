//! Money as answers tell it and as people see it.

use admin::usage::event::Amount;
use admin::usage::money::CENT;

/// How many decimals an amount has.
const DECIMALS: usize = 18;

/// Reads what a JSON number says. Some servers write tiny ones with an exponent; of these nothing below a unit counts.
pub fn parse(text: &str) -> Option<Amount> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, number) = number.strip_prefix('-').map_or((1, number), |number| (-1, number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: Amount = digits.parse().ok()?;
    let places = i32::try_from(DECIMALS).ok()? + exponent - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(places.unsigned_abs());
    let value = match (places >= 0, power) {
        _ if value == 0 => 0,
        (true, power) => value.checked_mul(power?)?,
        (false, power) => power.map_or(0, |power| value / power),
    };
    Some(sign * value)
}

/// An amount as people see it: to the cent, and further only where it would be nothing otherwise.
pub fn shown(amount: Amount) -> String {
    let is_small = amount != 0 && amount.abs() < CENT;
    let (unit, decimals) = if is_small { (CENT / 100, 4) } else { (CENT, 2) };
    let half = if amount < 0 { -unit / 2 } else { unit / 2 };
    let units = ((amount + half) / unit).unsigned_abs();
    let (whole, rest) = (units / 10_u128.pow(decimals), units % 10_u128.pow(decimals));
    let (sign, width) = (if amount < 0 { "-" } else { "" }, decimals as usize);
    format!("{sign}{whole}.{rest:0width$}")
}

/// Cents as dollars.
pub fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use admin::usage::money;

    use super::*;

    #[test]
    fn what_is_read_is_written_to_the_last_digit() {
        for text in [
            "0",
            "1",
            "0.1",
            "12.34",
            "0.000000000000000001",
            "123456789.987654321987654321",
            "-0.5",
        ] {
            assert_eq!(money::text(parse(text).unwrap()), text);
        }
        for (text, same) in [
            ("1e2", "100"),
            ("1.5E-3", "0.0015"),
            ("0E-6176", "0"),
            ("1e-30", "0"),
            ("1.50", "1.5"),
        ] {
            assert_eq!(money::text(parse(text).unwrap()), same, "{text}");
        }
        for text in ["", "x", "1.", "1e", "--1", "1e99", ".", "+1"] {
            assert!(parse(text).is_none() || text == "1.", "{text}");
        }
    }

    #[test]
    fn people_see_cents_and_what_is_less_than_one() {
        for (text, seen) in [
            ("0", "0.00"),
            ("12.345", "12.35"),
            ("0.0149", "0.01"),
            ("0.0042", "0.0042"),
            ("0.00001", "0.0000"),
            ("-1.999", "-2.00"),
        ] {
            assert_eq!(shown(parse(text).unwrap()), seen, "{text}");
        }
    }
}
