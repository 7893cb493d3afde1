//! The rules of the API, held against a document and what is there before anything is written.

mod known;
mod organization;
mod projects;

use std::collections::HashSet;
use std::fmt::Display;

use self::known::Known;
use super::fault::Fault;
use super::format::{Document, Keyed};
use super::read::hash_of;
use crate::domain::email;
use crate::domain::id::is_possible_id;
use crate::organization::Organization;

/// More faults than anybody reads are not looked for.
const MOST_FAULTS: usize = 100;

/// Everything that keeps this from being restored into what is there.
pub fn check(before: &Document, wanted: &Document, organization: &Organization) -> Vec<Fault> {
    let known = Known::of(before, wanted);
    let mut check = Check { known, organization, faults: Vec::new() };
    check.itself(before, wanted);
    check.people(before, wanted);
    check.keys_and_invites(before, wanted);
    check.things(before, wanted);
    check.ids(&wanted.projects, "$.projects", "id");
    for (place, project) in wanted.projects.iter().enumerate() {
        check.project(place, before, project);
    }
    check.faults
}

/// A check under way. Where something stands is only worked out if it is at fault.
struct Check<'a> {
    known: Known<'a>,
    organization: &'a Organization,
    faults: Vec<Fault>,
}

impl Check<'_> {
    /// Notes a fault unless this holds.
    fn ensure(&mut self, holds: bool, path: impl Display, reason: impl FnOnce() -> String) {
        if !holds && self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::at(path.to_string(), reason()));
        }
    }

    /// Ids that can be stored, each once among its siblings.
    fn ids<T: Keyed>(&mut self, all: &[T], path: impl Display, member: &str) {
        let mut seen = HashSet::with_capacity(all.len());
        for (place, one) in all.iter().enumerate() {
            let id = one.key();
            let path = format_args!("{path}[{place}].{member}");
            self.ensure(is_possible_id(id), path, || {
                "must have 1 to 256 bytes and no control characters".to_owned()
            });
            self.ensure(seen.insert(id), path, || format!("'{id}' is there twice"));
        }
    }

    /// A text of so many characters at most.
    fn text(&mut self, text: Option<&String>, least: usize, most: usize, path: impl Display) {
        let Some(text) = text else { return };
        // Bytes are an upper bound of characters, so that most texts need not be counted.
        let fits = text.len() >= least && (text.len() <= most || text.chars().count() <= most);
        self.ensure(fits, path, || format!("must have {least} to {most} characters"));
    }

    /// An address.
    fn email(&mut self, text: &str, path: impl Display) {
        if let Some(fault) = email::fault(text) {
            self.ensure(false, path, || fault.to_owned());
        }
    }

    /// A hash in hexadecimal digits.
    fn hash(&mut self, text: Option<&String>, path: impl Display) {
        let holds = text.is_none_or(|text| hash_of(text).is_some());
        self.ensure(holds, path, || {
            "must be a SHA-256: 64 hexadecimal digits in lower case".to_owned()
        });
    }

    /// A number within bounds.
    fn number(&mut self, number: Option<i64>, least: i64, most: i64, path: impl Display) {
        let holds = number.is_none_or(|number| (least..=most).contains(&number));
        self.ensure(holds, path, || format!("must be from {least} to {most}"));
    }
}
