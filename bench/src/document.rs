//! The document that keeps what was found: between two marks for each group.

use std::fs::{read_to_string, write};
use std::path::Path;

use anyhow::{Context, Result};

/// Replaces what stands between the marks of this group.
pub fn replace(file: &Path, key: &str, found: &str) -> Result<()> {
    let name = file.display();
    let text = read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let text =
        replaced(&text, key, found).with_context(|| format!("{name} has no marks for {key}"))?;
    write(file, text).with_context(|| format!("cannot write {name}"))
}

fn replaced(text: &str, key: &str, found: &str) -> Option<String> {
    let [from, to] = ["from", "to"].map(|side| format!("<!-- make bench, {key}, {side} here -->"));
    let (head, rest) = text.split_once(&from)?;
    let (_, tail) = rest.split_once(&to)?;
    Some(format!("{head}{from}\n\n{found}\n\n{to}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AUDIT;
    use crate::groups::groups;
    use crate::groups::tests::sizes;
    use crate::run::START;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = "before\n<!-- make bench, hot, from here -->\nold\n<!-- make bench, hot, to here -->\nafter\n";
        let expected = "before\n<!-- make bench, hot, from here -->\n\nnew\n\n<!-- make bench, hot, to here -->\nafter\n";
        assert_eq!(replaced(text, "hot", "new").as_deref(), Some(expected));
        assert_eq!(replaced(expected, "hot", "new").as_deref(), Some(expected));
        assert_eq!(replaced(text, "cold", "new"), None);
    }

    #[test]
    fn performance_has_a_place_for_everything() {
        let text = include_str!("../../docs/performance.md");
        let groups = groups(&sizes());
        for key in groups.iter().map(|group| group.key).chain([START, AUDIT]) {
            assert!(replaced(text, key, "").is_some(), "no marks for {key}");
        }
    }
}
