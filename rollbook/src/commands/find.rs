//! From what a person types to an id.

use anyhow::Result;
use serde_json::Value;

use super::client::{Client, segment};
use super::failure::Failure;

/// A person of the organization, by e-mail address or id.
pub fn user(client: &Client, text: &str) -> Result<Value> {
    if !text.contains('@') {
        return client.get(&format!("/organization/users/{}", segment(text)));
    }
    // Compared once more: a server that does not know the filter answers with everybody.
    let is_meant = |row: &Value| {
        row["email"].as_str().is_some_and(|email| email.to_lowercase() == text.to_lowercase())
    };
    for row in client.list("/organization/users", &[("emails[]", text)]) {
        let row = row?;
        if is_meant(&row) {
            return Ok(row);
        }
    }
    let message = format!("nobody in the organization has the e-mail address {text}");
    Err(Failure::not_found(&message).note("hint", "'rollbook user list' shows everybody").into())
}

/// The id of a person. An id is taken as it is: whether it exists is for the server to say.
pub fn user_id(client: &Client, text: &str) -> Result<String> {
    if text.contains('@') { Ok(id(&user(client, text)?)) } else { Ok(text.to_owned()) }
}

/// A project, by id or by its name among the active ones.
pub fn project(client: &Client, text: &str) -> Result<Value> {
    let kind = Kind {
        path: "/organization/projects",
        is_id: |text| text.starts_with("proj_"),
        name: "name",
        what: "active project",
        list: "project list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// An admin key, by id or name.
pub fn admin_key(client: &Client, text: &str) -> Result<Value> {
    let kind = Kind {
        path: "/organization/admin_api_keys",
        is_id: |text| text.starts_with("key_"),
        name: "name",
        what: "admin key",
        list: "admin-key list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// A group, by id or name.
pub fn group(client: &Client, text: &str) -> Result<Value> {
    let kind = Kind {
        path: "/organization/groups",
        is_id: |text| !text.contains(' '),
        name: "name",
        what: "group",
        list: "group list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// A role of a level, by id or name. `roles` is the list of the level's roles.
pub fn role(client: &Client, roles: &str, text: &str) -> Result<Value> {
    let kind = Kind {
        path: roles,
        is_id: |text| text.starts_with("role"),
        name: "name",
        what: "role",
        list: "role list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// A service account of a project, by id or name.
pub fn service_account(client: &Client, accounts: &str, text: &str) -> Result<Value> {
    let kind = Kind {
        path: accounts,
        is_id: |text| text.starts_with("svc_acct_"),
        name: "name",
        what: "service account",
        list: "service-account list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// A key of a project, by id or name.
pub fn project_key(client: &Client, keys: &str, text: &str) -> Result<Value> {
    let kind = Kind {
        path: keys,
        is_id: |text| text.starts_with("key_"),
        name: "name",
        what: "key of this project",
        list: "api-key list",
        filter: &[("owner_project_access", "any")],
    };
    by_id_or_name(client, text, &kind)
}

/// An invite, by id or by its address.
pub fn invite(client: &Client, text: &str) -> Result<Value> {
    let kind = Kind {
        path: "/organization/invites",
        is_id: |text| text.starts_with("invite-"),
        name: "email",
        what: "invite",
        list: "invite list",
        filter: &[],
    };
    by_id_or_name(client, text, &kind)
}

/// Something that has an id and a name.
struct Kind<'a> {
    path: &'a str,
    /// Whether a text can be an id, so that it is worth asking for it.
    is_id: fn(&str) -> bool,
    /// The member that people know it by.
    name: &'static str,
    what: &'static str,
    list: &'static str,
    /// What makes the list whole.
    filter: &'static [(&'static str, &'static str)],
}

fn by_id_or_name(client: &Client, text: &str, kind: &Kind<'_>) -> Result<Value> {
    if (kind.is_id)(text)
        && let Some(found) = client.find(&format!("{}/{}", kind.path, segment(text)))?
    {
        return Ok(found);
    }
    let mut named = Vec::new();
    for row in client.list(kind.path, kind.filter) {
        let row = row?;
        if row["id"] == text {
            return Ok(row);
        }
        if row[kind.name] == text {
            named.push(row);
        }
    }
    let Kind { what, list, .. } = kind;
    match named.as_slice() {
        [_] => Ok(named.remove(0)),
        [] => {
            let message = format!("no {what} has the {} or id '{text}'", kind.name);
            let hint = format!("'rollbook {list}' shows what there is");
            Err(Failure::not_found(&message).note("hint", &hint).into())
        }
        several => {
            let ids: Vec<_> = several.iter().map(id).collect();
            let message =
                format!("more than one {what} has the {} '{text}': {}", kind.name, ids.join(", "));
            Err(Failure::refused(&message).note("hint", "use one of these ids").into())
        }
    }
}

/// The id of a row.
pub fn id(row: &Value) -> String {
    text(row, "id")
}

/// A text of a row.
pub fn text(row: &Value, member: &str) -> String {
    row[member].as_str().unwrap_or_default().to_owned()
}
