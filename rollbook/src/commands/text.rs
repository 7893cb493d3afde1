//! Text that others wrote, made harmless for a terminal.

use std::borrow::Cow;

/// Makes characters visible that a terminal would obey or that would change how others look: control characters, and the invisible
/// ones that reorder, break or hide text. The two joiners stay, because names in several scripts are spelled with them.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_harmful(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same for messages of several lines.
pub fn harmless_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(harmless).collect();
    lines.join("\n")
}

/// Whether a character must not reach a terminal.
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(harmless("\u{1b}[2J\u{9b}31m"), r"\u{1b}[2J\u{9b}31m");
        assert_eq!(harmless("a\nb\tc\rd\0"), r"a\nb\tc\rd\u{0}");
        assert_eq!(harmless("\u{202e}moc.elpmaxe\u{2066}"), r"\u{202e}moc.elpmaxe\u{2066}");
        assert_eq!(harmless_lines("one\ntwo\u{7}"), "one\ntwo\\u{7}");
    }

    #[test]
    fn names_stay_as_they_are() {
        for name in
            ["Ada Lovelace", "Søren Kierkegård", "می\u{200c}خواهم", "李小龍", "👩\u{200d}🔬"]
        {
            assert_eq!(harmless(name), name);
        }
    }
}
