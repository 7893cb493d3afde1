//! Nobody grants more than they hold. A key is limited by its scopes, so each way to give somebody something is tried with
//! every combination of them.

use serde_json::{Value, json};

use crate::testing::world::World;
use crate::testing::{Api, Reply};

const READ: &str = "api.management.read";
const WRITE: &str = "api.management.write";
const USAGE: &str = "api.usage.read";

/// A way to give somebody something.
struct Gift {
    /// What is given, and to whom.
    what: &'static str,
    /// Where.
    template: &'static str,
    /// How.
    body: fn(&Made) -> Value,
    /// The scopes that what is given belongs to.
    needs: &'static [&'static str],
}

/// What a gift speaks of.
struct Made {
    world: World,
    /// Roles of the organization, one for each scope.
    roles: [(&'static str, String); 3],
    /// Somebody who is in no project yet.
    stranger: String,
}

impl Made {
    async fn new(api: &Api) -> Self {
        let world = World::of_first(api).await;
        let role = async |name: &str, token: &str| {
            let body = json!({ "role_name": name, "permissions": [token] });
            api.post("/organization/roles", body).await.id()
        };
        let roles = [
            (READ, role("looks", "api.organization.users.read").await),
            (WRITE, role("uses", "api.model.request").await),
            (USAGE, role("counts", "api.usage.read").await),
        ];
        let stranger = api.add_user("stranger@example.com").await;
        Self { world, roles, stranger }
    }

    fn role(&self, scope: &str) -> &str {
        let role = self.roles.iter().find(|(known, _)| *known == scope);
        &role.expect("each scope has a role").1
    }
}

const USER_ROLES: &str = "/organization/users/{user_id}/roles";
const GROUP_ROLES: &str = "/organization/groups/{group_id}/roles";
const PROJECT_USER_ROLES: &str = "/projects/{project_id}/users/{user_id}/roles";
const PROJECT_GROUP_ROLES: &str = "/projects/{project_id}/groups/{group_id}/roles";
const ACCOUNT: &str = "/organization/projects/{project_id}/service_accounts/{service_account_id}";

fn gifts() -> impl Iterator<Item = Gift> {
    of_roles().into_iter().chain(of_assignments()).chain(of_places()).chain(of_keys())
}

/// What is put into roles.
fn of_roles() -> Vec<Gift> {
    vec![
        Gift::new(
            "a role of nothing",
            "/organization/roles",
            &[],
            |_| json!({ "role_name": "x", "permissions": [] }),
        ),
        Gift::new(
            "a role that looks",
            "/organization/roles",
            &[READ],
            |_| json!({ "role_name": "x", "permissions": ["api.groups.read"] }),
        ),
        Gift::new(
            "a role that uses",
            "/organization/roles",
            &[WRITE],
            |_| json!({ "role_name": "x", "permissions": ["api.model.read"] }),
        ),
        Gift::new(
            "a role of one's own word",
            "/organization/roles",
            &[WRITE],
            |_| json!({ "role_name": "x", "permissions": ["api.ours.read"] }),
        ),
        Gift::new(
            "a role that counts",
            "/organization/roles",
            &[USAGE],
            |_| json!({ "role_name": "x", "permissions": ["api.usage.read"] }),
        ),
        Gift::new(
            "a role of a project",
            "/projects/{project_id}/roles",
            &[READ, WRITE],
            |_| json!({ "role_name": "x", "permissions": ["api.roles.read", "api.model.request"] }),
        ),
        Gift::new(
            "more in a role",
            "/organization/roles/{role_id}",
            &[USAGE],
            |_| json!({ "permissions": ["api.usage.read"] }),
        ),
        Gift::new(
            "more in a project's role",
            "/projects/{project_id}/roles/{role_id}",
            &[READ],
            |_| json!({ "permissions": ["api.roles.read"] }),
        ),
    ]
}

/// Roles that are given to somebody.
fn of_assignments() -> Vec<Gift> {
    vec![
        Gift::new(
            "ownership",
            USER_ROLES,
            &[READ, WRITE, USAGE],
            |_| json!({ "role_id": "role-api-organization-owner" }),
        ),
        Gift::new(
            "the reader's role",
            USER_ROLES,
            &[READ],
            |_| json!({ "role_id": "role-api-organization-reader" }),
        ),
        Gift::new(
            "a counting role",
            USER_ROLES,
            &[USAGE],
            |made| json!({ "role_id": made.role(USAGE) }),
        ),
        Gift::new(
            "a using role to a group",
            GROUP_ROLES,
            &[WRITE],
            |made| json!({ "role_id": made.role(WRITE) }),
        ),
        Gift::new(
            "a counting role to a group",
            GROUP_ROLES,
            &[USAGE],
            |made| json!({ "role_id": made.role(USAGE) }),
        ),
        Gift::new(
            "the viewer's role",
            PROJECT_USER_ROLES,
            &[WRITE],
            |_| json!({ "role_id": "role-api-project-viewer" }),
        ),
        Gift::new(
            "a project",
            PROJECT_USER_ROLES,
            &[READ, WRITE],
            |_| json!({ "role_id": "role-api-project-owner" }),
        ),
        Gift::new(
            "a project to a group",
            PROJECT_GROUP_ROLES,
            &[READ, WRITE],
            |_| json!({ "role_id": "role-api-project-owner" }),
        ),
    ]
}

/// Places in the organization and in projects.
fn of_places() -> Vec<Gift> {
    vec![
        Gift::new(
            "a group in a project",
            "/organization/projects/{project_id}/groups",
            &[WRITE],
            |made| json!({ "group_id": made.world.row("groups", 0), "role": "member" }),
        ),
        Gift::new(
            "membership",
            "/organization/projects/{project_id}/users",
            &[WRITE],
            |made| json!({ "user_id": made.stranger, "role": "member" }),
        ),
        Gift::new(
            "a project at once",
            "/organization/projects/{project_id}/users",
            &[READ, WRITE],
            |made| json!({ "user_id": made.stranger, "role": "owner" }),
        ),
        Gift::new(
            "a project to its member",
            "/organization/projects/{project_id}/users/{user_id}",
            &[READ, WRITE],
            |_| json!({ "role": "owner" }),
        ),
        Gift::new(
            "ownership by name",
            "/organization/users/{user_id}",
            &[READ, WRITE, USAGE],
            |_| json!({ "role": "owner" }),
        ),
        Gift::new(
            "an invite",
            "/organization/invites",
            &[READ],
            |_| json!({ "email": "new@example.com", "role": "reader", "projects": [] }),
        ),
        Gift::new(
            "an invite to own",
            "/organization/invites",
            &[READ, WRITE, USAGE],
            |_| json!({ "email": "new@example.com", "role": "owner", "projects": [] }),
        ),
        Gift::new("an invite to a project", "/organization/invites", &[READ, WRITE], |made| {
            let project = made.world.row("projects", 0);
            let projects = json!([{ "id": project, "role": "member" }]);
            json!({ "email": "new@example.com", "role": "reader", "projects": projects })
        }),
    ]
}

/// Accounts and keys.
fn of_keys() -> Vec<Gift> {
    vec![
        Gift::new(
            "an account",
            "/organization/projects/{project_id}/service_accounts",
            &[WRITE],
            |_| json!({ "name": "x" }),
        ),
        Gift::new(
            "an account without a key",
            "/organization/projects/{project_id}/service_accounts",
            &[],
            |_| json!({ "name": "x", "create_service_account_only": true }),
        ),
        Gift::new(
            "a project to an account",
            ACCOUNT,
            &[READ, WRITE],
            |_| json!({ "role": "owner" }),
        ),
        Gift::new(
            "a key of somebody",
            "/rollbook/v1/projects/{project_id}/api_keys",
            &[READ, WRITE],
            |made| json!({ "name": "x", "user_id": made.world.row("users", 0) }),
        ),
        Gift::new(
            "a key of the owner",
            "/rollbook/v1/projects/{project_id}/api_keys",
            &[READ, WRITE, USAGE],
            |made| json!({ "name": "x", "user_id": made.world.tenant.owner_id }),
        ),
        Gift::new(
            "a limited key of the owner",
            "/rollbook/v1/projects/{project_id}/api_keys",
            &[WRITE],
            |made| {
                let scopes = ["api.model.request"];
                json!({ "name": "x", "user_id": made.world.tenant.owner_id, "scopes": scopes })
            },
        ),
    ]
}

/// A key with these scopes; without any, one that is limited by nothing.
async fn key(api: &Api, scopes: &[&str]) -> String {
    let mut body = json!({ "name": "granting" });
    if !scopes.is_empty() {
        body["scopes"] = json!(scopes);
    }
    let made = api.post("/organization/admin_api_keys", body).await;
    made.ok()["value"].as_str().expect("a new key shows its secret").to_owned()
}

/// What of `needs` is not held.
fn lacking<'a>(needs: &[&'a str], held: &[&str]) -> Option<Vec<&'a str>> {
    let lacks: Vec<_> = needs.iter().copied().filter(|scope| !held.contains(scope)).collect();
    (!lacks.is_empty()).then_some(lacks)
}

#[tokio::test]
async fn nobody_grants_more_than_they_hold() {
    let combinations: [&[&str]; 7] =
        [&[READ], &[USAGE], &[READ, USAGE], &[WRITE], &[WRITE, USAGE], &[READ, WRITE], &[]];
    for gift in gifts() {
        let api = Api::new().await;
        let made = Made::new(&api).await;
        let mut able = Vec::new();
        for scopes in combinations {
            let key = key(&api, scopes).await;
            let held = if scopes.is_empty() { &[READ, WRITE, USAGE][..] } else { scopes };
            // Who may not change anything is told so before it is known what they want.
            let lacks = lacking(&[WRITE], held).or_else(|| lacking(gift.needs, held));
            match lacks {
                Some(lacks) => assert_refused(&gift.send(&api, &made, &key).await, &lacks),
                None => able.push(key),
            }
        }
        // Whoever holds just enough may.
        let reply = gift.send(&api, &made, &able[0]).await;
        assert_eq!(reply.status.as_u16(), 200, "{}: {}", gift.what, reply.body);
    }
}

impl Gift {
    fn new(
        what: &'static str,
        template: &'static str,
        needs: &'static [&'static str],
        body: fn(&Made) -> Value,
    ) -> Self {
        Self { what, template, body, needs }
    }

    async fn send(&self, api: &Api, made: &Made, key: &str) -> Reply {
        let request = api.request("POST", &made.world.path(self.template)).key(key);
        request.json(&(self.body)(made)).send().await
    }
}

/// A refusal names exactly what is lacking.
fn assert_refused(reply: &Reply, lacks: &[&str]) {
    let message = reply.refused(403, (), (), "Missing scopes").body["error"]["message"].clone();
    let message = message.as_str().unwrap_or_default();
    for scope in [READ, WRITE, USAGE] {
        assert_eq!(message.contains(scope), lacks.contains(&scope), "{scope}: {message}");
    }
}

/// Whoever joins a group gets what the group has, wherever it has it.
#[tokio::test]
async fn nobody_is_added_to_a_group_by_whoever_could_not_give_its_roles() {
    for (scope, template) in [
        (USAGE, "/organization/groups/{group_id}/roles"),
        (READ, "/organization/groups/{group_id}/roles"),
    ] {
        let api = Api::new().await;
        let made = Made::new(&api).await;
        let assigned = json!({ "role_id": made.role(scope) });
        api.post(&made.world.path(template), assigned).await.ok();
        let key = key(&api, &[WRITE]).await;
        let request =
            api.request("POST", &made.world.path("/organization/groups/{group_id}/users"));
        let request = request.key(&key).json(&json!({ "user_id": made.stranger }));
        request.send().await.refused(403, (), (), scope);
    }
}

/// What a role had before is no gift, and what is taken away is none.
#[tokio::test]
async fn a_role_may_be_changed_by_whoever_adds_nothing_to_it() {
    let api = Api::new().await;
    let made = Made::new(&api).await;
    let key = key(&api, &[WRITE]).await;
    let path = format!("/organization/roles/{}", made.role(USAGE));
    for body in [
        json!({ "role_name": "renamed" }),
        json!({ "permissions": ["api.usage.read", "api.model.request"] }),
        json!({ "permissions": ["api.model.request"] }),
    ] {
        api.request("POST", &path).key(&key).json(&body).send().await.ok();
    }
    let back = json!({ "permissions": ["api.model.request", "api.usage.read"] });
    api.request("POST", &path).key(&key).json(&back).send().await.refused(403, (), (), USAGE);
}
