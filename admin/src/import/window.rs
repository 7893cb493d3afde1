//! A part of the file in the order in which it is cheap to apply.
//!
//! Every index has its own order, and a page of it is written again with every portion that touches it. So people are applied in the
//! order of their addresses, and after them the memberships in the order of their projects: then a portion meets rows that stand side by
//! side in most indexes. 10^6 people write 14 GB so, 46 GB with each person's memberships behind them, and more in the order of the file.

use super::row::Row;
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::resources::users::store::fold;

/// So many rows are taken at once, for 30 MiB of memory.
pub const ROWS: usize = 1 << 16;

/// What some rows say of one person.
#[derive(Debug, Clone)]
pub struct Person {
    /// The address, as it stands in the first of the rows.
    pub email: String,
    /// What the person is called, if any of the rows says it.
    pub name: Option<String>,
    /// The role in the organization, which is the same in all rows.
    pub role: OrganizationRole,
}

/// What a row says of a person in a project.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The person's place among the people of the window.
    pub person: usize,
    /// The project's name.
    pub project: String,
    /// The role in it.
    pub role: ProjectRole,
}

/// Rows, taken apart.
#[derive(Debug, Default)]
pub struct Window {
    /// Everybody once, by address.
    pub people: Vec<Person>,
    /// By project, and in it by person.
    pub memberships: Vec<Membership>,
}

impl Window {
    /// Takes rows apart that do not contradict each other.
    pub fn of(mut rows: Vec<Row>) -> Self {
        rows.sort_by_cached_key(|row| fold(&row.email));
        let mut window = Self::default();
        let mut last = String::new();
        for row in rows {
            let folded = fold(&row.email);
            if let Some(person) = window.people.last_mut().filter(|_| folded == last) {
                person.name = person.name.take().or(row.name);
            } else {
                let Row { email, name, role, .. } = row;
                window.people.push(Person { email, name, role });
            }
            last = folded;
            if let Some((project, role)) = row.membership {
                let person = window.people.len() - 1;
                window.memberships.push(Membership { person, project, role });
            }
        }
        window.memberships.sort_by(|a, b| (&a.project, a.person).cmp(&(&b.project, b.person)));
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, email: &str, name: Option<&str>, project: Option<&str>) -> Row {
        Row {
            line,
            email: email.to_owned(),
            name: name.map(str::to_owned),
            role: OrganizationRole::Reader,
            membership: project.map(|project| (project.to_owned(), ProjectRole::Member)),
        }
    }

    #[test]
    fn everybody_is_there_once_and_memberships_follow_by_project() {
        let window = Window::of(vec![
            row(2, "Bob@x", None, Some("Q")),
            row(3, "ada@x", None, Some("Q")),
            row(4, "bob@x", Some("Bob"), Some("P")),
            row(5, "cyd@x", Some("Cyd"), None),
        ]);
        let people: Vec<_> = window.people.iter().map(|p| (&*p.email, p.name.as_deref())).collect();
        assert_eq!(people, [("ada@x", None), ("Bob@x", Some("Bob")), ("cyd@x", Some("Cyd"))]);
        let memberships: Vec<_> =
            window.memberships.iter().map(|m| (&*m.project, m.person)).collect();
        assert_eq!(memberships, [("P", 1), ("Q", 0), ("Q", 1)]);
    }
}
