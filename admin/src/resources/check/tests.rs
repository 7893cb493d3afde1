//! Both ways to ask, over the wire.

mod forward;
mod holders;
mod kept;
mod models;
mod questions;

use serde_json::{Value, json};
use sql::args;

use crate::domain::secret::{PROJECT_PREFIX, PlainKey};
use crate::holdings::{self, Kind};
use crate::testing::{Api, Reply};

const CHECK: &str = "/rollbook/v1/check";
const FORWARD: &str = "/rollbook/v1/check/forward";

/// A project with one member, Ada, and a key of hers.
struct Place {
    api: Api,
    project: String,
    user: String,
    key: String,
}

/// What is particular about a key.
#[derive(Default)]
struct Terms {
    is_of_account: bool,
    scopes: Option<&'static str>,
    expires_at: Option<i64>,
}

impl Place {
    async fn new() -> Self {
        Self::on(Api::new().await).await
    }

    async fn on(api: Api) -> Self {
        let user = api.add_user("ada@example.com").await;
        let project = api.create_project("Search").await;
        api.add_member(&project, &user).await;
        let mut place = Self { api, project, user, key: String::new() };
        place.key = place.key_of(&place.user, Terms::default()).await;
        place
    }

    fn organization(&self) -> &str {
        &self.api.first.organization.id
    }

    /// Makes a key of this owner and answers its secret. Its id is `key_` and its last four characters.
    async fn key_of(&self, owner: &str, terms: Terms) -> String {
        let key = PlainKey::generate(PROJECT_PREFIX, &*self.api.app.random);
        let secret = key.expose().to_owned();
        let id = id_of(&secret);
        let kind = if terms.is_of_account { "service_account" } else { "user" };
        let sql = "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
                redacted_value, scopes, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, 'Laptop', $6, $7, $8, 1750000000, $9)";
        let (organization, project) = (self.organization().to_owned(), self.project.clone());
        let owner = owner.to_owned();
        let insert = move |tx: &mut sql::Tx<'_>| {
            let hash = key.hash();
            tx.execute(
                sql,
                args![
                    &organization,
                    &project,
                    &id,
                    kind,
                    &owner,
                    hash.bytes(),
                    &key.redacted(),
                    terms.scopes,
                    terms.expires_at
                ],
            )
        };
        self.api.app.store.write(insert).await.expect("the key can be made");
        secret
    }

    /// Makes a service account with this built-in role.
    async fn account(&self, id: &'static str, role: Option<&'static str>) {
        let sql =
            "INSERT INTO service_accounts (organization_id, project_id, id, name, role, created_at)
            VALUES ($1, $2, $3, 'Robot', $4, 1750000000)";
        let (organization, project) = (self.organization().to_owned(), self.project.clone());
        let insert =
            move |tx: &mut sql::Tx<'_>| tx.execute(sql, args![&organization, &project, id, role]);
        self.api.app.store.write(insert).await.expect("the account can be made");
    }

    /// Runs a statement of one organization, `$1`, and one project, `$2`.
    async fn run(&self, sql: &'static str) {
        let (organization, project) = (self.organization().to_owned(), self.project.clone());
        let run = move |tx: &mut sql::Tx<'_>| tx.execute(sql, args![&organization, &project]);
        self.api.app.store.write(run).await.expect("the statement runs");
    }

    /// Assigns a role in the project, or in the organization.
    async fn assign(&self, in_project: bool, kind: Kind, principal: &str, role: &'static str) {
        let organization = self.organization().to_owned();
        let project = if in_project { self.project.clone() } else { String::new() };
        let principal = principal.to_owned();
        let assign = move |tx: &mut sql::Tx<'_>| {
            holdings::insert(tx, &organization, &project, kind, &principal, role, 1_750_000_000)
        };
        assert!(self.api.app.store.write(assign).await.expect("roles can be assigned"));
    }

    /// Asks about a key in the body.
    async fn ask(&self, mut body: Value, key: &str) -> Reply {
        body["key"] = json!(key);
        self.api.request("POST", CHECK).without("authorization").json(&body).send().await
    }

    /// The reason with which a key may do something or not.
    async fn reason(&self, key: &str, permission: Option<&str>) -> String {
        let reply = self.ask(json!({ "permission": permission }), key).await;
        let (allowed, reason) = (&reply.ok()["allowed"], reply.ok()["reason"].as_str().unwrap());
        assert_eq!(*allowed, reason == "allowed");
        reason.to_owned()
    }

    /// Asks as a proxy does.
    async fn forward(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.forward_as("GET", path, headers).await
    }

    async fn forward_as(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = self.api.request(method, &format!("{FORWARD}{path}")).key(&self.key);
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value))
            .send()
            .await
    }
}

fn id_of(secret: &str) -> String {
    format!("key_{}", &secret[secret.len() - 8..])
}
