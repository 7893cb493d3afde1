//! A made-up organization, written through the API's own store functions: for the demo, and for tests of other languages.

mod people;

use std::ops::Range;
use std::sync::Arc;

use admin::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::domain::role::{OrganizationRole, ProjectRole};
use admin::domain::secret::{PROJECT_PREFIX, PlainKey};
use admin::error::Result;
use admin::founding::Founding;
use admin::organization::Organization;
use admin::resources::project_api_keys::store::{self as keys, NewKey, OwnerKind};
use admin::resources::project_users::store as members;
use admin::resources::projects::store::{self as projects, NewProject, Project};
use admin::resources::rate_limits::limits::Limits;
use admin::resources::rate_limits::models::{self, Model, NewModel};
use admin::resources::users::store::{self as users, NewUser, User};
use sql::{Store, Tx};

/// Of so many people one is an owner.
const PEOPLE_PER_OWNER: usize = 50;
/// Each person and each membership writes one event, and one transaction may write only so many.
const CHUNK: usize = EVENTS_PER_CHANGE as usize;

/// An organization that is being filled. Blocks, so it must not be used inside an asynchronous context.
pub struct Population {
    store: Store,
    ids: Ids,
    organization: Organization,
}

impl Population {
    /// Founds the organization in an empty store.
    pub fn found(store: &Store, key: PlainKey, email: &str, name: &str) -> Result<Self> {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
        let founding = Founding::draw(&ids, SystemClock.now(), "default", email, Some(name), key);
        let organization = founding.organization.clone();
        store.write_blocking(move |tx| founding.execute(tx))?;
        Ok(Self { store: store.clone(), ids, organization })
    }

    /// The id of the organization.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.organization.id
    }

    /// Adds the people of these numbers, who are the same each time, and answers them by id.
    pub fn add_people(&self, numbers: Range<usize>) -> Result<Vec<User>> {
        let new: Vec<_> = numbers.map(|number| self.person(number)).collect();
        self.in_chunks(&new, users::add)
    }

    fn person(&self, number: usize) -> NewUser {
        let (name, email) = people::person(number);
        let is_owner = number % PEOPLE_PER_OWNER == PEOPLE_PER_OWNER - 1;
        let role = if is_owner { OrganizationRole::Owner } else { OrganizationRole::Reader };
        NewUser { id: self.ids.make("user-"), email, name: Some(name), role }
    }

    /// Creates a project with these members, the first of whom owns it.
    pub fn add_project(&self, name: &str, users: &[User]) -> Result<Project> {
        let new = NewProject::named(self.ids.make("proj_"), name);
        let project = self.change(move |tx, by| projects::create(tx, by, &new))?;
        let roles =
            std::iter::once(ProjectRole::Owner).chain(std::iter::repeat(ProjectRole::Member));
        let memberships: Vec<_> = users.iter().cloned().zip(roles).collect();
        let place = project.clone();
        self.in_chunks(&memberships, move |tx, by, (user, role)| {
            members::add(tx, by, &place, user, *role)
        })?;
        Ok(project)
    }

    /// Adds a model of the operator, with what it has.
    pub fn add_model(&self, name: &str, limits: [Option<i64>; 6]) -> Result<Model> {
        let new = NewModel { id: name.to_owned(), limits: Limits(limits) };
        self.change(move |tx, by| models::add(tx, by, &new))
    }

    /// Archives a project. Its members stay on record.
    pub fn archive(&self, project: Project) -> Result<Project> {
        self.change(move |tx, by| projects::archive(tx, by, project.clone()))
    }

    /// Makes a key of a person for a project and answers its secret.
    pub fn add_key(&self, project: &Project, user: &User, scopes: Option<&str>) -> Result<String> {
        let secret = PlainKey::generate(PROJECT_PREFIX, &SystemRandom);
        let new = NewKey {
            id: self.ids.make("key_"),
            name: "Key".to_owned(),
            hash: secret.hash(),
            redacted_value: secret.redacted(),
            scopes: scopes.map(|scopes| scopes.split(' ').map(str::to_owned).collect()),
            expires_at: None,
        };
        let (project, owner) = (project.id.clone(), user.id.clone());
        self.change(move |tx, by| keys::insert(tx, by, &project, (OwnerKind::User, &owner), &new))?;
        Ok(secret.expose().to_owned())
    }

    /// Makes one change for each item, as many in one transaction as it may hold.
    fn in_chunks<I, T, F>(&self, items: &[I], change: F) -> Result<Vec<T>>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Author, &I) -> Result<T> + Clone + Send + 'static,
    {
        let mut made = Vec::with_capacity(items.len());
        for chunk in items.chunks(CHUNK) {
            let (chunk, change) = (chunk.to_vec(), change.clone());
            made.extend(self.change(move |tx, by| {
                chunk.iter().map(|item| change(tx, by, item)).collect::<Result<Vec<_>>>()
            })?);
        }
        Ok(made)
    }

    fn change<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Author) -> Result<T> + Send + 'static,
    {
        let organization = self.organization.clone();
        let (now, ids) = (SystemClock.now(), self.ids.block(EVENTS_PER_CHANGE));
        self.store.write_blocking(move |tx| {
            let (organization, ids) = (organization.clone(), ids.clone());
            f(tx, &Author::new(organization, Actor::System, Origin::default(), now, ids))
        })
    }
}
