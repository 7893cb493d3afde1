//! Amounts of money as text: plain decimals, exact to the last digit.

use super::event::Amount;

/// So many decimals an amount has.
const DECIMALS: usize = 18;
/// A dollar.
pub const DOLLAR: Amount = 1_000_000_000_000_000_000;
/// A cent, in which limits and alerts are told.
pub const CENT: Amount = DOLLAR / 100;

/// An amount in dollars, without an exponent and without zeros at its end, as stores and answers show it.
#[must_use]
pub fn text(amount: Amount) -> String {
    let unit = DOLLAR.unsigned_abs();
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    let sign = if amount < 0 { "-" } else { "" };
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let rest = format!("{rest:0DECIMALS$}");
    format!("{sign}{whole}.{}", rest.trim_end_matches('0'))
}

/// The amount that a plain decimal names, in dollars; nothing if it is none or has more decimals than can be kept.
#[must_use]
pub fn parse(text: &str) -> Option<Amount> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(rest) || rest.len() > DECIMALS {
        return None;
    }
    let whole: Amount = whole.parse().ok()?;
    let rest: Amount = format!("{rest:0<DECIMALS$}").parse().ok()?;
    whole.checked_mul(DOLLAR)?.checked_add(rest)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        for (amount, expected) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (CENT, "0.01"),
            (-CENT * 250, "-2.5"),
            (DOLLAR * 1_000_000, "1000000"),
            (DOLLAR + 10, "1.00000000000000001"),
        ] {
            assert_eq!((text(amount), parse(expected)), (expected.to_owned(), Some(amount)));
        }
        assert_eq!(parse("1.50"), Some(DOLLAR * 3 / 2));
        for wrong in
            ["", ".", "1.", ".5", "1e3", "+1", " 1", "1.0000000000000000001", "--1", "1,5", "٣"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(&"9".repeat(39)), None);
    }

    proptest! {
        #[test]
        fn an_amount_survives_its_text(amount in -(1_i128 << 120)..1 << 120) {
            prop_assert_eq!(parse(&text(amount)), Some(amount));
        }
    }
}
