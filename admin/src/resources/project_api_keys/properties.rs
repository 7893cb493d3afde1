//! What a list says of the owners of keys is what a check says of the keys: random people, groups and roles.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sql::{Tx, args};

use super::store::{Access, find_holder, list};
use crate::domain::page::{Order, PageRequest};
use crate::domain::permission::Permissions;
use crate::domain::role::BuiltIn;
use crate::domain::secret::KeyHash;
use crate::testing::{Api, Tenant};

const PEOPLE: usize = 6;
const GROUPS: usize = 3;
const PROJECTS: [&str; 2] = ["proj_a", "proj_b"];
/// Roles of the organization and of projects, built in and custom; what the custom ones permit.
const ROLES: [(&str, Option<&str>); 7] = [
    (ORGANIZATION_OWNER, None),
    ("role-api-organization-reader", None),
    ("role_looks", Some("api.organization.users.read api.usage.read")),
    ("role_uses", Some("api.organization.users.read api.model.read")),
    ("role_ours", Some("api.ours")),
    ("role_none", Some("")),
    ("role-api-project-viewer", None),
];
const ORGANIZATION_OWNER: &str = "role-api-organization-owner";

/// A person: whether they left, their roles in the columns of both levels (where 0 is none), and whether they are members.
type Person = (bool, u8, u8, bool);

/// Something random to put into the store.
#[derive(Debug, Clone)]
struct Case {
    people: Vec<Person>,
    /// Who is in which group.
    joined: Vec<(usize, usize)>,
    /// Who has which role where: a person or a group, in the organization or a project.
    assigned: Vec<(usize, usize, usize)>,
}

fn cases() -> impl Strategy<Value = Case> {
    let person = (prop::bool::weighted(0.1), 0..4_u8, 0..3_u8, prop::bool::weighted(0.2));
    let people = prop::collection::vec(person, PEOPLE);
    let joined = prop::collection::vec((0..PEOPLE, 0..GROUPS), 0..5);
    let assigned =
        prop::collection::vec((0..PEOPLE + GROUPS, 0..=PROJECTS.len(), 0..ROLES.len()), 0..8);
    (people, joined, assigned).prop_map(|(people, joined, assigned)| Case {
        people,
        joined,
        assigned,
    })
}

fn hash(organization: &str, project: &str, person: usize) -> KeyHash {
    KeyHash::of(&format!("{organization}{project}{person}"))
}

impl Case {
    fn write(&self, tx: &mut Tx<'_>, organization: &str) -> sql::Result<()> {
        for project in PROJECTS {
            let sql = "INSERT INTO projects (organization_id, id, name, created_at) VALUES ($1, $2, 'p', 1)";
            tx.execute(sql, args![organization, project])?;
        }
        for (place, project) in ["", PROJECTS[0], PROJECTS[1]].into_iter().enumerate() {
            for (role, permissions) in ROLES {
                let Some(permissions) = permissions else { continue };
                let reaches = Permissions::parse(permissions).reaches_projects();
                let sql = "INSERT INTO roles (organization_id, project_id, id, name, permissions, reaches_projects, created_at, updated_at)
                    VALUES ($1, $2, $3, $3, $4, $5, 1, 1)";
                tx.execute(sql, args![organization, project, role, permissions, reaches])?;
            }
            self.assign(tx, organization, place, project)?;
        }
        for group in 0..GROUPS {
            let sql = "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, $2, 'g', 1)";
            tx.execute(sql, args![organization, &format!("g{group}")])?;
        }
        for (person, group) in &self.joined {
            let sql = "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, $2, $3, 1)
                ON CONFLICT DO NOTHING";
            tx.execute(sql, args![organization, &format!("g{group}"), &format!("user{person}")])?;
        }
        self.people
            .iter()
            .enumerate()
            .try_for_each(|(number, person)| add(tx, organization, number, *person))
    }

    fn assign(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        place: usize,
        project: &str,
    ) -> sql::Result<()> {
        for (principal, _, role) in self.assigned.iter().filter(|(_, at, _)| *at == place) {
            let (kind, id) = match principal.checked_sub(PEOPLE) {
                Some(group) => ("group", format!("g{group}")),
                None => ("user", format!("user{principal}")),
            };
            let sql = "INSERT INTO role_assignments (organization_id, project_id, principal_type, principal_id, role_id, created_at)
                VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT DO NOTHING";
            tx.execute(sql, args![organization, project, kind, &id, ROLES[*role].0])?;
        }
        Ok(())
    }
}

/// Adds a person with a key for each project.
fn add(
    tx: &mut Tx<'_>,
    organization: &str,
    number: usize,
    (has_left, own, role, is_member): Person,
) -> sql::Result<()> {
    let id = format!("user{number}");
    let own = match own {
        0 => None,
        1 => Some("owner"),
        _ => Some("reader"),
    };
    let sql = "INSERT INTO users (organization_id, id, email, email_folded, role, added_at) VALUES ($1, $2, $2, $2, $3, 1)";
    tx.execute(sql, args![organization, &id, own])?;
    if is_member {
        let role = [None, Some("owner"), Some("member")][usize::from(role)];
        let sql = "INSERT INTO project_members (organization_id, project_id, user_id, shown, role, added_at)
            VALUES ($1, $2, $3, '', $4, 1)";
        tx.execute(sql, args![organization, PROJECTS[0], &id, role])?;
    }
    for project in PROJECTS {
        let sql = "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
                redacted_value, created_at, owner_left_at)
            VALUES ($1, $2, $3, 'user', $4, 'k', $5, '***', 1, $6)";
        let (key, left_at) = (format!("key{number}"), has_left.then_some(1_i64));
        let hash = hash(organization, project, number);
        tx.execute(sql, args![organization, project, &key, &id, hash.bytes(), left_at])?;
    }
    Ok(())
}

/// The numbers of the keys that a list shows, with what it says of each.
fn shown(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    access: Access,
) -> crate::error::Result<Vec<(String, bool)>> {
    let page = PageRequest::new(Order::Ascending, None, 100);
    let rows = list(tx, organization, project, access, &page)?.rows;
    Ok(rows.into_iter().map(|key| (key.id, key.is_active)).collect())
}

/// What every check finds, and what every list shows.
fn compare(
    tx: &mut Tx<'_>,
    organization: &str,
    case: &Case,
) -> crate::error::Result<Result<(), String>> {
    for project in PROJECTS {
        let mut found = Vec::new();
        for number in 0..PEOPLE {
            let holder =
                find_holder(tx, &hash(organization, project, number))?.expect("it is there");
            found.push((format!("key{number}"), holder.reaches));
        }
        let is_direct = |number: usize| {
            let (has_left, _, _, is_member) = case.people[number];
            is_member && !has_left && project == PROJECTS[0]
        };
        let direct = found.iter().enumerate().filter(|(number, _)| is_direct(*number));
        let expected = [
            (Access::Any, found.clone()),
            (Access::Active, found.iter().filter(|(_, reaches)| *reaches).cloned().collect()),
            (Access::Inactive, found.iter().filter(|(_, reaches)| !*reaches).cloned().collect()),
            (Access::Direct, direct.map(|(_, key)| key.clone()).collect::<Vec<_>>()),
        ];
        for (access, expected) in expected {
            let shown = shown(tx, organization, project, access)?;
            if shown != expected {
                return Ok(Err(format!("{project} {access:?}: {shown:?} instead of {expected:?}")));
            }
        }
    }
    Ok(Ok(()))
}

#[test]
fn a_list_says_of_an_owner_what_a_check_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let api = runtime.block_on(Api::new());
    let number = std::cell::Cell::new(0);
    let config = Config { failure_persistence: None, ..Config::with_cases(96) };
    let outcome = TestRunner::new(config).run(&cases(), |case| {
        number.set(number.get() + 1);
        let tenant: Tenant = runtime.block_on(api.found(&format!("case{}", number.get())));
        let organization = tenant.organization.id;
        let run = move |tx: &mut Tx<'_>| {
            case.write(tx, &organization)?;
            compare(tx, &organization, &case)
        };
        let compared = runtime.block_on(api.app.store.write(run)).expect("the store serves");
        prop_assert_eq!(compared, Ok(()));
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(
        BuiltIn::OrganizationOwner.alias(),
        ORGANIZATION_OWNER,
        "the statement spells it out"
    );
    runtime.block_on(async { drop(api) });
}
