//! Whether a project key may do what somebody wants to do with it: the one function that decides.

use super::permission::{MODEL_REQUEST, Permissions};

/// What a list of models is a list of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelMode {
    /// Of those that may be used, and no other.
    AllowList,
    /// Of those that may not be used.
    DenyList,
}

impl ModelMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AllowList, Self::DenyList];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowList => "allow_list",
            Self::DenyList => "deny_list",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether a model may be used that is in the list, or is not.
    #[must_use]
    pub fn permits(self, is_listed: bool) -> bool {
        (self == Self::AllowList) == is_listed
    }
}

/// What is to be said of the model that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelVerdict {
    /// It may be used, or there is none.
    #[default]
    Free,
    /// The operator has models, and this is none of them.
    Unknown,
    /// The project may not use it.
    Refused,
}

/// What matters of a project key when it is decided upon.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The time, in seconds.
    pub now: i64,
    /// When the key stops.
    pub expires_at: Option<i64>,
    /// Whether its project is archived.
    pub is_archived: bool,
    /// Whether its owner is gone from the organization.
    pub has_left: bool,
    /// Whether its owner may use the project at all.
    pub reaches: bool,
    /// What its owner may do there.
    pub effective: &'a Permissions,
    /// What the key is limited to.
    pub scopes: Option<&'a Permissions>,
    /// What is to be said of the model that is asked for.
    pub model: ModelVerdict,
}

/// What somebody wants to do with a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// Use this model.
    pub model: Option<&'a str>,
    /// Do this.
    pub permission: Option<&'a str>,
}

/// The answer, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Yes.
    Allowed,
    /// The key's time is over.
    ExpiredKey,
    /// Its project is archived.
    ProjectArchived,
    /// Its owner left the organization.
    OwnerLeft,
    /// Its owner may not use the project.
    OwnerWithoutAccess,
    /// Its owner may, but the key is limited to less.
    KeyScope,
    /// Its owner may not do this.
    MissingPermission,
    /// There is no such model.
    UnknownModel,
    /// Its project may not use this model.
    ModelNotPermitted,
}

/// Whether a key may do what somebody wants. The first reason against it counts.
#[must_use]
pub fn decide(standing: &Standing<'_>, wish: &Wish<'_>) -> Reason {
    if standing.expires_at.is_some_and(|end| standing.now >= end) {
        return Reason::ExpiredKey;
    }
    if standing.is_archived {
        return Reason::ProjectArchived;
    }
    if standing.has_left {
        return Reason::OwnerLeft;
    }
    if !standing.reaches {
        return Reason::OwnerWithoutAccess;
    }
    let demands = || wish.model.map(|_| MODEL_REQUEST).into_iter().chain(wish.permission);
    if demands().any(|token| !standing.effective.has(token)) {
        return Reason::MissingPermission;
    }
    if standing.scopes.is_some_and(|scopes| demands().any(|token| !scopes.has(token))) {
        return Reason::KeyScope;
    }
    match standing.model {
        ModelVerdict::Free => Reason::Allowed,
        ModelVerdict::Unknown => Reason::UnknownModel,
        ModelVerdict::Refused => Reason::ModelNotPermitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_against_a_key_counts() {
        let member: Permissions = [MODEL_REQUEST].into_iter().collect();
        let none = Permissions::default();
        let good = Standing {
            now: 10,
            expires_at: Some(11),
            is_archived: false,
            has_left: false,
            reaches: true,
            effective: &member,
            scopes: None,
            model: ModelVerdict::Free,
        };
        let wish = Wish { model: Some("m"), permission: None };
        assert_eq!(decide(&good, &wish), Reason::Allowed);
        let worse = Standing { model: ModelVerdict::Refused, ..good };
        assert_eq!(decide(&worse, &wish), Reason::ModelNotPermitted);
        let worse = Standing { model: ModelVerdict::Unknown, ..good };
        assert_eq!(decide(&worse, &wish), Reason::UnknownModel);
        assert_eq!(decide(&Standing { scopes: Some(&none), ..worse }, &wish), Reason::KeyScope);
        let worse = Standing { effective: &none, scopes: Some(&none), ..good };
        assert_eq!(decide(&worse, &wish), Reason::MissingPermission);
        assert_eq!(decide(&worse, &Wish::default()), Reason::Allowed);
        let worse = Standing { reaches: false, ..worse };
        assert_eq!(decide(&worse, &wish), Reason::OwnerWithoutAccess);
        let worse = Standing { has_left: true, ..worse };
        assert_eq!(decide(&worse, &wish), Reason::OwnerLeft);
        let worse = Standing { is_archived: true, ..worse };
        assert_eq!(decide(&worse, &wish), Reason::ProjectArchived);
        assert_eq!(decide(&Standing { now: 11, ..worse }, &wish), Reason::ExpiredKey);
    }
}
