//! The built-in roles and their spellings.

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

    /// The id that holds in every organization.
    #[must_use]
    pub fn alias(self) -> String {
        format!("role-api-organization-{}", self.name())
    }

    /// The role of this id, written as alias or scoped to the organization.
    #[must_use]
    pub fn from_id(id: &str, organization: &str) -> Option<Self> {
        let alias = id
            .strip_suffix(organization)
            .and_then(|id| id.strip_suffix("__api-organization__"))
            .unwrap_or(id);
        Self::ALL.into_iter().find(|role| role.alias() == alias)
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

    /// The id that holds in every project.
    #[must_use]
    pub fn alias(self) -> String {
        format!("role-api-project-{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_alias_and_by_scoped_id_of_its_own_organization_only() {
        let id = "role-api-organization-owner__api-organization__org-1";
        assert_eq!(
            OrganizationRole::from_id("role-api-organization-owner", "org-1"),
            Some(OrganizationRole::Owner)
        );
        assert_eq!(OrganizationRole::from_id(id, "org-1"), Some(OrganizationRole::Owner));
        assert_eq!(OrganizationRole::from_id(id, "org-2"), None);
        assert_eq!(OrganizationRole::from_id("owner", "org-1"), None);
    }
}
