//! Where roles and policies hold: in the whole organization, or in one project.

/// The two levels at which somebody can have a role and a policy can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelKind {
    /// The organization, and with it each of its projects.
    Organization,
    /// One project.
    Project,
}

impl LevelKind {
    /// What the level is called on the wire.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Organization => "api.organization",
            Self::Project => "api.project",
        }
    }

    /// What stands between a role's alias and the id of the place where it holds.
    #[must_use]
    pub fn separator(self) -> &'static str {
        match self {
            Self::Organization => "__api-organization__",
            Self::Project => "__api-project__",
        }
    }
}
