//! Lists of values in a statement.

use crate::Arg;

/// Puts values behind the arguments that are there, and answers their places: what stands in the parentheses of `IN (…)`.
///
/// There are as many places as the next power of two, and the last value is repeated in those that are left. Each number of places is
/// another text, which engines compile and keep, so there are few. Where there are no values, the one place is `NULL`, in
/// which nothing is.
#[must_use]
pub fn list<'a, V: Into<Arg<'a>>>(
    arguments: &mut Vec<Arg<'a>>,
    values: impl IntoIterator<Item = V>,
) -> String {
    let before = arguments.len();
    arguments.extend(values.into_iter().map(Into::into));
    let values = arguments.len() - before;
    let last = arguments.last().copied().filter(|_| values > 0);
    arguments.resize(before + values.next_power_of_two(), last.unwrap_or(Arg::Null));
    let places: Vec<_> = (before + 1..=arguments.len()).map(|place| format!("${place}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    #[test]
    fn a_list_stands_behind_what_is_there_and_repeats_its_last_value() {
        let mut arguments = args!["org", 7_i64].to_vec();
        assert_eq!(list(&mut arguments, ["a", "b", "c"]), "$3, $4, $5, $6");
        assert_eq!(arguments, args!["org", 7_i64, "a", "b", "c", "c"]);
    }

    #[test]
    fn lists_of_one_and_of_two_are_as_long_as_they_are() {
        for (values, places) in [(&["a"][..], "$1"), (&["a", "b"], "$1, $2")] {
            let mut arguments = Vec::new();
            assert_eq!(list(&mut arguments, values.iter().copied()), places);
            assert_eq!(arguments.len(), values.len());
        }
    }

    #[test]
    fn nothing_is_in_an_empty_list() {
        let mut arguments = args!["org"].to_vec();
        assert_eq!(list(&mut arguments, [""; 0]), "$2");
        assert_eq!(arguments, [Arg::from("org"), Arg::Null]);
    }
}
