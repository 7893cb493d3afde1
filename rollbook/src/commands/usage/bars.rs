//! Bars: as long as a number is large, beside the largest.

/// How many characters the longest has.
const WIDTH: u64 = 20;
/// A character filled by so many eighths of its width.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The bar of a number beside the largest one. Whatever is more than nothing can be seen.
pub fn bar(number: i128, largest: i128) -> String {
    if number <= 0 || largest <= 0 {
        return String::new();
    }
    let steps = i128::from(WIDTH) * 8;
    // Halved until the product fits; nobody sees the difference.
    let (mut number, mut largest) = (number.min(largest), largest);
    while number > i128::MAX / steps {
        (number, largest) = (number / 2, largest / 2);
    }
    let filled = usize::try_from((number * steps / largest).max(1)).unwrap_or_default();
    format!("{}{}", "█".repeat(filled / 8), EIGHTHS[filled % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_number_is_large() {
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(10, 10), "█".repeat(20));
        assert_eq!(bar(5, 10), "█".repeat(10));
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(3, 40), "█▌");
        assert_eq!(bar(i128::MAX, i128::MAX), "█".repeat(20));
        assert_eq!(bar(-1, 10), "");
    }
}
