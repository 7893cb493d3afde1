//! What blocks are called, and how others refer to them.

use std::collections::{HashMap, HashSet};

use super::hcl::{Value, identifier};
use crate::domain::level::LevelKind;
use crate::domain::role::BuiltIn;

/// The labels of everything that something else refers to.
#[derive(Default)]
pub struct Labels {
    taken: HashSet<(&'static str, String)>,
    /// By kind, project (empty for the organization) and id.
    known: HashMap<(&'static str, String, String), String>,
}

impl Labels {
    /// A label for something of this kind that is named like this, which nothing else of the kind has.
    pub fn fresh(&mut self, kind: &'static str, name: &str) -> String {
        let plain = identifier(name);
        let mut label = plain.clone();
        let mut number = 2;
        while !self.taken.insert((kind, label.clone())) {
            label = format!("{plain}_{number}");
            number += 1;
        }
        label
    }

    /// The same, remembered for whoever refers to it by its id.
    pub fn name(&mut self, kind: &'static str, (project, id): (&str, &str), name: &str) -> String {
        let label = self.fresh(kind, name);
        self.known.insert((kind, project.to_owned(), id.to_owned()), label.clone());
        label
    }

    /// What refers to something by its id: to its block if it has one, else the id itself.
    pub fn reference(&self, kind: &'static str, (project, id): (&str, &str)) -> Value {
        match self.known.get(&(kind, project.to_owned(), id.to_owned())) {
            Some(label) => Value::Reference(format!("{kind}.{label}.id")),
            None => Value::Text(id.to_owned()),
        }
    }

    /// The label of something that was named before.
    pub fn label(&self, kind: &'static str, (project, id): (&str, &str)) -> Option<&str> {
        self.known.get(&(kind, project.to_owned(), id.to_owned())).map(String::as_str)
    }

    /// What refers to somebody: a person, or a service account of a project.
    pub fn user(&self, id: &str) -> Value {
        match self.reference(USER, ("", id)) {
            Value::Text(_) => self.reference(ACCOUNT, ("", id)),
            found => found,
        }
    }

    /// What somebody is called in the names of blocks: like their own block, if they have one.
    pub fn who(&self, id: &str) -> String {
        let label = self.label(USER, ("", id)).or_else(|| self.label(ACCOUNT, ("", id)));
        label.unwrap_or(id).to_owned()
    }

    /// What refers to a role of a level. Built-in ones have no block.
    pub fn role(&self, project: &str, id: &str) -> Value {
        let (level, kind) = if project.is_empty() {
            (LevelKind::Organization, ROLE)
        } else {
            (LevelKind::Project, PROJECT_ROLE)
        };
        match BuiltIn::of(level).iter().find(|role| role.alias() == id) {
            Some(role) => role.alias().into(),
            None => self.reference(kind, (project, id)),
        }
    }
}

/// The resource of people.
pub const USER: &str = "openai_organization_user";
/// The resource of groups.
pub const GROUP: &str = "openai_group";
/// The resource of custom roles of the organization.
pub const ROLE: &str = "openai_role";
/// The resource of projects.
pub const PROJECT: &str = "openai_project";
/// The resource of custom roles of projects.
pub const PROJECT_ROLE: &str = "openai_project_role";
/// The resource of service accounts.
pub const ACCOUNT: &str = "openai_project_service_account";
