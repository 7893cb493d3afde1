//! The built-in roles, their spellings, and what they permit.

use std::sync::LazyLock;

use super::level::LevelKind;
use super::permission::{Area, EVERYTHING, Permissions, Verb, verb};

/// A built-in role of a person in the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationRole {
    /// Manages the organization; the only role that may hold admin keys.
    Owner,
    /// Sees the organization.
    Reader,
}

impl OrganizationRole {
    /// Every role, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Owner, Self::Reader];

    /// The short name, as stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reader => "reader",
        }
    }

    /// The role of this short name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The same role among those of both levels.
    #[must_use]
    pub fn from_built_in(role: BuiltIn) -> Option<Self> {
        Self::ALL.into_iter().find(|this| BuiltIn::from(*this) == role)
    }
}

/// A built-in role of a person in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectRole {
    /// Manages the project.
    Owner,
    /// Works in the project.
    Member,
}

impl ProjectRole {
    /// Every role that a membership can carry, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Owner, Self::Member];

    /// The short name, as stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// The role of this short name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The same role among those of both levels, if a membership can carry it.
    #[must_use]
    pub fn from_built_in(role: BuiltIn) -> Option<Self> {
        Self::ALL.into_iter().find(|this| BuiltIn::from(*this) == role)
    }
}

/// A built-in role of either level. These are part of the program and not of any store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuiltIn {
    /// Everything.
    OrganizationOwner,
    /// Sees the organization.
    OrganizationReader,
    /// Manages a project and uses it.
    ProjectOwner,
    /// Uses a project.
    ProjectMember,
    /// Looks at a project.
    ProjectViewer,
}

impl BuiltIn {
    /// The roles of a level, the mightiest first.
    #[must_use]
    pub fn of(level: LevelKind) -> &'static [Self] {
        match level {
            LevelKind::Organization => &[Self::OrganizationOwner, Self::OrganizationReader],
            LevelKind::Project => &[Self::ProjectOwner, Self::ProjectMember, Self::ProjectViewer],
        }
    }

    /// The level at which it holds.
    #[must_use]
    pub fn level(self) -> LevelKind {
        match self {
            Self::OrganizationOwner | Self::OrganizationReader => LevelKind::Organization,
            _ => LevelKind::Project,
        }
    }

    /// The short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrganizationOwner | Self::ProjectOwner => "owner",
            Self::OrganizationReader => "reader",
            Self::ProjectMember => "member",
            Self::ProjectViewer => "viewer",
        }
    }

    /// The id that holds at every place of the level.
    #[must_use]
    pub fn alias(self) -> &'static str {
        match self {
            Self::OrganizationOwner => "role-api-organization-owner",
            Self::OrganizationReader => "role-api-organization-reader",
            Self::ProjectOwner => "role-api-project-owner",
            Self::ProjectMember => "role-api-project-member",
            Self::ProjectViewer => "role-api-project-viewer",
        }
    }

    /// The id that holds at one place: in this organization or project.
    #[must_use]
    pub fn scoped_id(self, place: &str) -> String {
        format!("{}{}{place}", self.alias(), self.level().separator())
    }

    /// The role of this id, written as alias or scoped to exactly this place.
    #[must_use]
    pub fn from_id(level: LevelKind, place: &str, id: &str) -> Option<Self> {
        let scoped = id.strip_suffix(place).and_then(|id| id.strip_suffix(level.separator()));
        let alias = scoped.unwrap_or(id);
        Self::of(level).iter().copied().find(|role| role.alias() == alias)
    }

    /// The role of this short name.
    #[must_use]
    pub fn from_name(level: LevelKind, name: &str) -> Option<Self> {
        Self::of(level).iter().copied().find(|role| role.name() == name)
    }

    /// What it permits. A tool that the catalogue does not know is part of using a project.
    #[must_use]
    pub fn permissions(self) -> &'static Permissions {
        match self {
            Self::OrganizationOwner => &EVERYTHING,
            Self::OrganizationReader => &READER,
            Self::ProjectOwner => &PROJECT_OWNER,
            Self::ProjectMember => &MEMBER,
            Self::ProjectViewer => &VIEWER,
        }
    }

    /// A sentence about it.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::OrganizationOwner => "Manages the organization and everything in it.",
            Self::OrganizationReader => "Sees the organization without changing it.",
            Self::ProjectOwner => "Manages the project, who is in it, and its keys.",
            Self::ProjectMember => "Uses everything in the project.",
            Self::ProjectViewer => "Sees what is in the project without changing it.",
        }
    }
}

impl From<OrganizationRole> for BuiltIn {
    fn from(role: OrganizationRole) -> Self {
        match role {
            OrganizationRole::Owner => Self::OrganizationOwner,
            OrganizationRole::Reader => Self::OrganizationReader,
        }
    }
}

impl From<ProjectRole> for BuiltIn {
    fn from(role: ProjectRole) -> Self {
        match role {
            ProjectRole::Owner => Self::ProjectOwner,
            ProjectRole::Member => Self::ProjectMember,
        }
    }
}

static READER: LazyLock<Permissions> = LazyLock::new(|| {
    let hidden = ["api.organization.audit_logs.read", "api.organization.admin_api_keys.read"];
    Permissions::of_catalogue(|token, area| {
        area == Area::Organization && verb(token) == Verb::Read && !hidden.contains(&token)
    })
});

static PROJECT_OWNER: LazyLock<Permissions> = LazyLock::new(|| {
    let managed = |token: &str| {
        token.starts_with("api.organization.projects.") || token.starts_with("api.roles.")
    };
    Permissions::of_catalogue(|token, area| area == Area::Project || managed(token))
        .and_all_others()
});

static MEMBER: LazyLock<Permissions> =
    LazyLock::new(|| Permissions::of_catalogue(|_, area| area == Area::Project).and_all_others());

static VIEWER: LazyLock<Permissions> = LazyLock::new(|| {
    Permissions::of_catalogue(|token, area| area == Area::Project && verb(token) == Verb::Read)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_role_has_two_spellings_and_no_third() {
        for level in [LevelKind::Organization, LevelKind::Project] {
            for role in BuiltIn::of(level).iter().copied() {
                let id = role.scoped_id("here");
                assert_eq!(BuiltIn::from_id(level, "here", &id), Some(role));
                assert_eq!(BuiltIn::from_id(level, "here", role.alias()), Some(role));
                assert_eq!(BuiltIn::from_id(level, "there", &id), None);
                assert_eq!(BuiltIn::from_id(level, "here", role.name()), None);
                assert_eq!(BuiltIn::from_name(level, role.name()), Some(role));
            }
        }
        assert_eq!(
            BuiltIn::from_id(LevelKind::Project, "here", "role-api-organization-owner"),
            None
        );
    }

    #[test]
    fn a_mightier_role_permits_what_a_lesser_one_does() {
        for level in [LevelKind::Organization, LevelKind::Project] {
            for pair in BuiltIn::of(level).windows(2) {
                assert!(pair[1].permissions().beyond(pair[0].permissions()).is_empty(), "{pair:?}");
            }
        }
        assert!(!BuiltIn::OrganizationReader.permissions().reaches_projects());
        assert!(!BuiltIn::ProjectViewer.permissions().has("api.model.request"));
    }
}
