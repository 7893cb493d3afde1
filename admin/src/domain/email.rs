//! E-mail addresses of people who come in without an invitation that proves theirs.

/// The longest address that is kept, in characters.
const LONGEST: usize = 320;

/// What keeps a text from being an address. No more than what tells it from a mistake: whether mail arrives is not known here.
#[must_use]
pub fn fault(email: &str) -> Option<&'static str> {
    if email.is_empty() {
        return Some("must not be empty; people are told apart by it");
    }
    if email.chars().any(char::is_control) {
        return Some("has a control character; remove it");
    }
    if email.contains(char::is_whitespace) {
        return Some("must not contain spaces");
    }
    if email.chars().count() > LONGEST {
        return Some("is longer than 320 characters");
    }
    match email.split_once('@') {
        Some((local, host)) if !local.is_empty() && !host.is_empty() && !host.contains('@') => None,
        _ => Some("is not an e-mail address"),
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn addresses_are_told_from_mistakes() {
        let long = format!("{}@example.com", "x".repeat(320));
        for wrong in
            ["", "ada", "ada@", "@example.com", "a@b@c", "a da@example.com", "a\u{1b}@b", &long]
        {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
        for right in ["ada@example.com", "ada@localhost", "Å@példa.hu"] {
            assert_eq!(fault(right), None, "{right}");
        }
    }
}
