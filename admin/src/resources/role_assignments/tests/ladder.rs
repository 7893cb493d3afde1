use std::collections::BTreeSet;

use serde_json::json;

use super::fixture::told_since;
use crate::testing::{Api, fixture};

/// A level at which a person can have several built-in roles.
struct Place {
    /// Where they are listed and given.
    roles: String,
    /// Where the shown one is read and set.
    shown: String,
    /// What the aliases begin with.
    prefix: &'static str,
    /// The roles, the mightiest first.
    names: &'static [&'static str],
    /// Those that can be shown; the last one is shown if there is none.
    settable: &'static [&'static str],
}

impl Place {
    async fn held(&self, api: &Api) -> BTreeSet<&'static str> {
        let page = api.get(&self.roles).await;
        let rows = page.ok()["data"].as_array().expect("a page").clone();
        let is_held = |name: &str| rows.iter().any(|row| row["name"] == json!(name));
        self.names.iter().copied().filter(|name| is_held(name)).collect()
    }

    /// Leaves exactly these roles.
    async fn reset(&self, api: &Api, wanted: &BTreeSet<&'static str>) {
        for name in self.names {
            let role = format!("{}{name}", self.prefix);
            if wanted.contains(name) {
                api.post(&self.roles, json!({ "role_id": role })).await.ok();
            } else if self.held(api).await.contains(name) {
                api.delete(&format!("{}/{role}", self.roles)).await.ok();
            }
        }
        assert_eq!(self.held(api).await, *wanted);
    }

    fn expected_shown(&self, held: &BTreeSet<&'static str>) -> &'static str {
        let mightiest = self.settable.iter().find(|name| held.contains(*name));
        mightiest.unwrap_or_else(|| self.settable.last().expect("there is one"))
    }

    async fn check(&self, api: &Api, held: &BTreeSet<&'static str>, what: &str) {
        assert_eq!(self.held(api).await, *held, "{what}");
        let shown = api.get(&self.shown).await;
        assert_eq!(shown.ok()["role"], json!(self.expected_shown(held)), "{what}");
    }

    /// From every set of roles, every step: the roles are a plain set, the mightiest is shown, and each difference is one event.
    async fn walk(&self, api: &Api) {
        for bits in 0..1 << self.names.len() {
            let start: BTreeSet<_> = (0..self.names.len())
                .filter(|n| bits >> n & 1 == 1)
                .map(|n| self.names[n])
                .collect();
            for name in self.names {
                let role = format!("{}{name}", self.prefix);
                self.reset(api, &start).await;
                let mut after = start.clone();
                after.insert(name);
                let seen = api.events().await.len();
                api.post(&self.roles, json!({ "role_id": role })).await.ok();
                self.check(api, &after, &format!("{start:?} and {name}")).await;
                assert_eq!(api.events().await.len() - seen, after.len() - start.len());
                api.get(&format!("{}/{role}", self.roles)).await.ok();

                let seen = api.events().await.len();
                after.remove(name);
                api.delete(&format!("{}/{role}", self.roles)).await.ok();
                self.check(api, &after, &format!("{start:?} and {name}, taken again")).await;
                assert_eq!(
                    told_since(api, seen).await,
                    [format!("role.assignment.deleted {role}")]
                );
                api.delete(&format!("{}/{role}", self.roles)).await.refused(
                    404,
                    "not_found",
                    (),
                    "not assigned",
                );
            }
            for name in self.settable {
                self.reset(api, &start).await;
                let seen = api.events().await.len();
                api.post(&self.shown, json!({ "role": name })).await.ok();
                let what = format!("{start:?} set to {name}");
                self.check(api, &BTreeSet::from([*name]), &what).await;
                let lost = self.names.iter().filter(|held| start.contains(*held) && *held != name);
                let mut told: Vec<_> = lost
                    .map(|lost| format!("role.assignment.deleted {}{lost}", self.prefix))
                    .collect();
                if !start.contains(name) {
                    told.push(format!("role.assignment.created {}{name}", self.prefix));
                }
                if !told.is_empty() {
                    told.insert(0, "user.updated".to_owned());
                }
                assert_eq!(told_since(api, seen).await, told, "{what}");
            }
        }
    }
}

/// Rulings 5.7 and 5.22: in a project the role that is shown is one of three that can be given; the viewer's is given here only.
#[tokio::test]
async fn the_built_in_roles_of_a_member_are_a_set_whose_mightiest_is_shown() {
    let api = Api::new().await.unwatched();
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    api.add_member(&project, &user).await;
    let place = Place {
        roles: format!("/projects/{project}/users/{user}/roles"),
        shown: format!("/organization/projects/{project}/users/{user}"),
        prefix: "role-api-project-",
        names: &["owner", "member", "viewer"],
        settable: &["owner", "member"],
    };
    place.walk(&api).await;
}

#[tokio::test]
async fn the_built_in_roles_of_a_person_are_a_set_whose_mightiest_is_shown() {
    let api = Api::new().await.unwatched();
    let user = api.add_user("ada@example.com").await;
    let place = Place {
        roles: format!("/organization/users/{user}/roles"),
        shown: format!("/organization/users/{user}"),
        prefix: "role-api-organization-",
        names: &["owner", "reader"],
        settable: &["owner", "reader"],
    };
    place.walk(&api).await;
}

/// Whoever loses the owner's role loses the keys that only owners hold, and the last owner cannot lose it.
#[tokio::test]
async fn taking_the_owners_role_ends_keys_and_spares_the_last_owner() {
    let api = Api::new().await;
    let owner = "role-api-organization-owner";
    let path = format!("/organization/users/{}/roles", api.first.owner_id);
    let fragment = "at least one owner";
    api.delete(&format!("{path}/{owner}")).await.refused(400, "last_owner", (), fragment);
    // A lesser role beside it changes nothing about that.
    api.post(&path, json!({ "role_id": "role-api-organization-reader" })).await.ok();
    api.delete(&format!("{path}/{owner}")).await.refused(400, "last_owner", (), fragment);

    let other = api.add_user("other@example.com").await;
    let others = format!("/organization/users/{other}/roles");
    let given = api.post(&others, json!({ "role_id": owner })).await;
    assert_eq!(given.ok()["user"]["role"], json!("owner"));
    let key = fixture::add_key(&api.app, &api.first.organization, &other).await;
    api.request("GET", &others).key(&key).send().await.ok();
    api.delete(&format!("{others}/{owner}")).await.ok();
    api.request("GET", &others).key(&key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect",
    );
    assert_eq!(
        api.get(&format!("/organization/users/{other}")).await.ok()["role"],
        json!("reader")
    );
    // The role comes back, the key does not.
    api.post(&others, json!({ "role_id": owner })).await.ok();
    api.request("GET", &others).key(&key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect",
    );
}
