//! What somebody may do: one catalogue, and sets of its tokens.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use super::scope::{Scope, Scopes};

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Managing the organization and what is in it.
    Organization,
    /// Using a project: its models, and what they work on.
    Project,
    /// Seeing what was used and what it cost.
    Usage,
}

/// Whether a permission lets its holder look or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Looks.
    Read,
    /// Changes, or spends.
    Write,
}

macro_rules! catalogue {
    ($($area:ident: $($token:literal)+;)+) => {
        &[$($((concat!("api.", $token), Area::$area)),+),+]
    };
}

/// Every permission that the program knows, in the order in which roles list them. A token ends in what it lets its holder do.
pub const CATALOGUE: &[(&str, Area)] = catalogue! {
    Organization:
        "management.read" "management.write"
        "organization.users.read" "organization.users.write"
        "organization.invites.read" "organization.invites.write"
        "organization.admin_api_keys.read" "organization.admin_api_keys.write"
        "organization.projects.read" "organization.projects.write"
        "organization.projects.users.read" "organization.projects.users.write"
        "organization.projects.groups.read" "organization.projects.groups.write"
        "organization.projects.service_accounts.read" "organization.projects.service_accounts.write"
        "organization.projects.api_keys.read" "organization.projects.api_keys.write"
        "organization.projects.rate_limits.read" "organization.projects.rate_limits.write"
        "organization.certificates.read" "organization.certificates.write"
        "organization.data_retention.read" "organization.data_retention.write"
        "organization.spend.read" "organization.spend.write"
        "organization.audit_logs.read"
        "groups.read" "groups.write"
        "roles.read" "roles.write";
    Usage: "usage.read";
    Project:
        "model.read" "model.request"
        "responses.read" "responses.write"
        "chat_completions.read" "chat_completions.write"
        "files.read" "files.write"
        "vector_stores.read" "vector_stores.write"
        "batch.read" "batch.write"
        "fine_tuning.read" "fine_tuning.write"
        "evals.read" "evals.write"
        "assistants.read" "assistants.write"
        "threads.read" "threads.write"
        "prompts.read" "prompts.write"
        "videos.read" "videos.write"
        "webhooks.read" "webhooks.write"
        "containers.read" "containers.write"
        "realtime.write";
};

/// The permission that every use of a model needs.
pub const MODEL_REQUEST: &str = "api.model.request";

const _: () = assert!(CATALOGUE.len() <= 64, "a set of them is one machine word");

/// What a token of this area and ending lets its holder do.
#[must_use]
pub fn verb(token: &str) -> Verb {
    if token.rsplit('.').next() == Some("read") { Verb::Read } else { Verb::Write }
}

/// Why a text cannot be a permission. A well-formed token that the catalogue does not have is one of the operator's own: it
/// means what the services behind the check take it to mean.
#[must_use]
pub fn fault(token: &str) -> Option<&'static str> {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let parts: Vec<&str> = token.split('.').collect();
    let is_token =
        parts[0] == "api" && (2..=9).contains(&parts.len()) && parts.iter().copied().all(is_plain);
    let explanation = "is not a permission. Write it like api.model.request: 'api' and up to eight words of lower-case letters, digits and underscores, with dots between";
    (!is_token || token.len() > 128).then_some(explanation)
}

/// A set of permissions, stored as tokens with a space between.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// One bit for each of the catalogue.
    known: u64,
    /// Those that the catalogue does not have.
    others: BTreeSet<Box<str>>,
    /// Every token that the catalogue does not have.
    all_others: bool,
}

impl Permissions {
    /// Everything, whatever it is called.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            known: u64::MAX >> (64 - CATALOGUE.len()),
            others: BTreeSet::new(),
            all_others: true,
        }
    }

    /// Those of the catalogue for which this holds.
    #[must_use]
    pub fn of_catalogue(holds: impl Fn(&str, Area) -> bool) -> Self {
        CATALOGUE
            .iter()
            .filter(|(token, area)| holds(token, *area))
            .map(|(token, _)| *token)
            .collect()
    }

    /// The same set, with every token that the catalogue does not have.
    #[must_use]
    pub fn and_all_others(self) -> Self {
        Self { all_others: true, others: BTreeSet::new(), ..self }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(stored: &str) -> Self {
        stored.split(' ').filter(|token| !token.is_empty()).collect()
    }

    /// Whether the set has this permission.
    #[must_use]
    pub fn has(&self, token: &str) -> bool {
        match place(token) {
            Some(place) => self.known & (1 << place) != 0,
            None => self.all_others || self.others.contains(token),
        }
    }

    /// Adds what the other set has.
    pub fn add(&mut self, other: &Self) {
        self.known |= other.known;
        self.all_others |= other.all_others;
        if self.all_others {
            self.others.clear();
        } else {
            self.others.extend(other.others.iter().cloned());
        }
    }

    /// What both sets have.
    #[must_use]
    pub fn within(&self, limit: &Self) -> Self {
        let (few, many) = if self.all_others { (limit, self) } else { (self, limit) };
        Self {
            known: self.known & limit.known,
            others: few.others.iter().filter(|token| many.has(token)).cloned().collect(),
            all_others: self.all_others && limit.all_others,
        }
    }

    /// What this set has and the other lacks.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self {
            known: self.known & !other.known,
            others: self.others.iter().filter(|token| !other.has(token)).cloned().collect(),
            all_others: self.all_others && !other.all_others,
        }
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == 0 && self.others.is_empty() && !self.all_others
    }

    /// The permissions of the catalogue that the set has, in the catalogue's order.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, Area)> {
        CATALOGUE
            .iter()
            .copied()
            .enumerate()
            .filter(|(place, _)| self.known & (1 << place) != 0)
            .map(|(_, entry)| entry)
    }

    /// The scopes that an admin key needs to hold all of these. Each permission belongs to one of them, and whoever may do
    /// everything with projects may use them.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let others = self.all_others || !self.others.is_empty();
        self.known()
            .map(|(token, area)| scope(token, area))
            .chain(others.then_some(Scope::ManagementWrite))
            .collect()
    }

    /// Whether one of them is about the use of projects, and so lets its holder into them.
    #[must_use]
    pub fn reaches_projects(&self) -> bool {
        self.all_others
            || !self.others.is_empty()
            || self.known().any(|(_, area)| area == Area::Project)
    }
}

fn place(token: &str) -> Option<usize> {
    CATALOGUE.iter().position(|(known, _)| *known == token)
}

fn scope(token: &str, area: Area) -> Scope {
    match (area, verb(token)) {
        (Area::Usage, _) => Scope::UsageRead,
        (Area::Organization, Verb::Read) => Scope::ManagementRead,
        _ => Scope::ManagementWrite,
    }
}

impl<'a> FromIterator<&'a str> for Permissions {
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let mut set = Self::default();
        for token in tokens {
            match place(token) {
                Some(place) => set.known |= 1 << place,
                None => drop(set.others.insert(token.into())),
            }
        }
        set
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = out.debug_set();
        list.entries(self.known().map(|(token, _)| token)).entries(&self.others);
        if self.all_others {
            list.entry(&"*");
        }
        list.finish()
    }
}

/// Everything at once, made only once.
pub static EVERYTHING: LazyLock<Permissions> = LazyLock::new(Permissions::everything);

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn tokens() -> impl Strategy<Value = Vec<&'static str>> {
        let mut all: Vec<_> = CATALOGUE.iter().map(|(token, _)| *token).collect();
        all.extend(["api.ours.read", "api.ours.write", "api.ours"]);
        vec(select(all), 0..12)
    }

    fn sets() -> impl Strategy<Value = Permissions> {
        (tokens(), any::<bool>()).prop_map(|(tokens, all)| {
            let set: Permissions = tokens.into_iter().collect();
            if all { set.and_all_others() } else { set }
        })
    }

    fn probes() -> impl Iterator<Item = &'static str> {
        CATALOGUE.iter().map(|(token, _)| *token).chain([
            "api.ours.read",
            "api.ours.write",
            "api.ours",
            "api.else",
        ])
    }

    proptest! {
        #[test]
        fn sets_are_sets(a in sets(), b in sets()) {
            let (mut union, both, rest) = (a.clone(), a.within(&b), a.beyond(&b));
            union.add(&b);
            for token in probes() {
                prop_assert_eq!(union.has(token), a.has(token) || b.has(token));
                prop_assert_eq!(both.has(token), a.has(token) && b.has(token));
                if a.all_others && !b.all_others && place(token).is_none() {
                    continue; // "all others but some" has no form, and errs towards more than is there
                }
                prop_assert_eq!(rest.has(token), a.has(token) && !b.has(token));
            }
            prop_assert_eq!(union.scopes().beyond(a.scopes()).beyond(b.scopes()), Scopes::default());
            prop_assert!(b.beyond(&union).is_empty());
        }

        #[test]
        fn the_stored_form_is_read_back(tokens in tokens()) {
            let set: Permissions = tokens.iter().copied().collect();
            prop_assert_eq!(Permissions::parse(&tokens.join(" ")), set);
        }
    }

    #[test]
    fn everything_is_everything_and_needs_every_scope() {
        assert!(probes().all(|token| EVERYTHING.has(token)));
        assert_eq!(EVERYTHING.scopes(), Scopes::all());
        assert!(Permissions::default().is_empty() && !Permissions::default().reaches_projects());
    }

    #[test]
    fn tokens_of_the_catalogue_are_well_formed_and_others_must_be() {
        assert!(CATALOGUE.iter().all(|(token, _)| fault(token).is_none()));
        for wrong in
            ["", "api", "*", "api.*", "api..x", "API.x", "model.read", "api.a b", "api.é", "api.x."]
        {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
        assert!(fault("api.ours").is_none());
    }
}
