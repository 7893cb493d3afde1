//! What will be there, from both documents: what references can refer to.

use std::collections::{HashMap, HashSet};

use crate::document::format::words::UserRole;
use crate::document::format::{Account, Document};
use crate::resources::users::store::fold;

/// Ids of everything that something else refers to.
pub struct Known<'a> {
    /// People, with their roles as they will be.
    pub users: HashMap<&'a str, UserRole>,
    /// Whose address one is, folded.
    pub emails: HashMap<String, &'a str>,
    /// Service accounts, with their projects.
    pub accounts: HashMap<&'a str, &'a str>,
    /// Service accounts that the document moves or names twice.
    pub displaced: HashSet<&'a str>,
    /// Groups.
    pub groups: HashSet<&'a str>,
    /// Custom roles, each behind its project; empty for the organization.
    pub roles: HashSet<(&'a str, &'a str)>,
    /// What custom roles are called there, and which one is.
    pub role_names: HashMap<(&'a str, &'a str), &'a str>,
    /// Projects.
    pub projects: HashSet<&'a str>,
    /// Who is in which project.
    pub members: HashSet<(&'a str, &'a str)>,
    /// Models.
    pub models: HashSet<&'a str>,
    /// Certificates.
    pub certificates: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Gathers them. What the document says of somebody comes after what was there.
    pub fn of(before: &'a Document, wanted: &'a Document) -> Self {
        let mut known = Self {
            users: HashMap::new(),
            emails: HashMap::new(),
            accounts: HashMap::new(),
            displaced: HashSet::new(),
            groups: HashSet::new(),
            roles: HashSet::new(),
            role_names: HashMap::new(),
            projects: HashSet::new(),
            members: HashSet::new(),
            models: HashSet::new(),
            certificates: HashSet::new(),
        };
        for document in [before, wanted] {
            known.add(document);
        }
        known
    }

    fn add(&mut self, document: &'a Document) {
        for user in &document.users {
            let role = user.role.or_else(|| self.users.get(user.id.as_str()).copied());
            self.users.insert(&user.id, role.unwrap_or_default());
            self.emails.entry(fold(&user.email)).or_insert(&user.id);
        }
        self.groups.extend(document.groups.iter().map(|group| group.id.as_str()));
        self.models.extend(document.models.iter().map(|model| model.id.as_str()));
        self.certificates.extend(document.certificates.iter().map(|one| one.id.as_str()));
        for role in &document.roles {
            self.roles.insert(("", &role.id));
            self.role_names.entry(("", &role.name)).or_insert(&role.id);
        }
        for project in &document.projects {
            let id = project.id.as_str();
            self.projects.insert(id);
            self.members.extend(project.users.iter().map(|member| (id, member.id.as_str())));
            for role in &project.roles {
                self.roles.insert((id, &role.id));
                self.role_names.entry((id, &role.name)).or_insert(&role.id);
            }
            for account in &project.service_accounts {
                self.account(id, account);
            }
        }
    }

    fn account(&mut self, project: &'a str, account: &'a Account) {
        let home = *self.accounts.entry(&account.id).or_insert(project);
        if home != project {
            self.displaced.insert(&account.id);
        }
    }
}
