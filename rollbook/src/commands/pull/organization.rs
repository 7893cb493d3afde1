//! From what a server shows of an organization to a document.

use std::collections::BTreeMap;

use admin::document::{self, Document};
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value, json};

use super::project;
use super::reader::Reader;
use crate::commands::client::segment;
use crate::commands::failure::Failure;

/// What the first project of an organization is called, unless somebody gave it another name.
const DEFAULT_PROJECT: &str = "Default project";
/// The numbers of a model.
pub const LIMITS: [&str; 6] = [
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
];

/// Reads everything.
pub fn read(reader: &mut Reader) -> Result<Document> {
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(1));
    let shown = reader.list("/organization/users", &[])?;
    let projects = reader.list("/organization/projects", &[("include_archived", "true")])?;
    ensure!(
        !shown.is_empty() || !projects.is_empty(),
        Failure::refused(
            "the server shows neither people nor projects to this key, so there is nothing to copy"
        )
    );
    document.insert("users".to_owned(), users(reader, shown)?);
    document.insert("groups".to_owned(), groups(reader)?);
    document.insert("roles".to_owned(), roles(reader, "/organization/roles")?);
    document.insert("invites".to_owned(), invites(reader)?);
    document.insert("admin_api_keys".to_owned(), admin_keys(reader)?);
    document.insert("certificates".to_owned(), certificates(reader)?);
    document.insert("spend_alerts".to_owned(), alerts(reader, "/organization")?);
    if let Some(retention) = reader.get("/organization/data_retention")? {
        document.insert("data_retention".to_owned(), picked(&retention, &["type"]));
    }
    if let Some(limit) = reader.find("/organization/spend_limit")? {
        document.insert("spend_limit".to_owned(), spend_limit(&limit));
    }
    if let Some(id) = default_project(&projects) {
        document.insert("default_project_id".to_owned(), json!(id));
    }
    let mut limits = Vec::new();
    let projects: Result<Vec<_>> =
        projects.iter().map(|row| project::read(reader, row, &mut limits)).collect();
    let mut projects = projects?;
    let models = models(&limits);
    for (project, own) in projects.iter_mut().zip(&limits) {
        project["rate_limits"] = less(own, &models);
    }
    document.insert("projects".to_owned(), sorted(projects));
    document.insert("models".to_owned(), sorted(models.into_values().collect()));
    // The one who reads documents says what is wrong with it, if the server shows what none can hold.
    let text = Value::Object(document).to_string();
    document::parse(&text)
        .map_err(|fault| anyhow!("the server shows what a document cannot hold: {fault}"))
}

/// These members of an object, as far as it has them.
pub fn picked(from: &Value, names: &[&str]) -> Value {
    let member = |name: &&str| {
        Some(((*name).to_owned(), from.get(*name).filter(|value| !value.is_null())?.clone()))
    };
    Value::Object(names.iter().filter_map(member).collect())
}

/// By id, as documents have it.
pub fn sorted(mut rows: Vec<Value>) -> Value {
    let key = |row: &Value| {
        row["id"].as_str().or(row["group_id"].as_str()).unwrap_or_default().to_owned()
    };
    rows.sort_by_key(key);
    Value::Array(rows)
}

/// The id of a row.
pub fn id(row: &Value) -> Result<&str> {
    row["id"].as_str().context("the server shows something without an id")
}

fn users(reader: &mut Reader, shown: Vec<Value>) -> Result<Value> {
    let mut users = Vec::new();
    for row in shown {
        if row["is_service_account"] == true {
            continue;
        }
        let mut user = picked(
            &row,
            &["id", "email", "name", "role", "added_at", "technical_level", "developer_persona"],
        );
        if row["name"] == row["email"] {
            // Nobody told a name, so the address stands in its place.
            user.as_object_mut().map(|user| user.remove("name"));
        }
        let place = format!("/organization/users/{}/roles", segment(id(&row)?));
        seat(&mut user, reader.list_if_shown(&place, &[])?, &["owner", "reader"]);
        users.push(user);
    }
    Ok(sorted(users))
}

/// Says which built-in role somebody has, the mightiest first in `built_in`, and which further ones. Where their roles are not shown,
/// what is said of them already has to do.
pub fn seat(somebody: &mut Value, shown: Option<Vec<Value>>, built_in: &[&str]) {
    let Some(shown) = shown else { return };
    let own = own_roles(somebody["id"].as_str().unwrap_or_default(), shown);
    let place = |name: &&str| {
        own.iter().position(|role| role["predefined_role"] == true && role["name"] == **name)
    };
    let seated = built_in.iter().find_map(|name| Some((*name, place(name)?)));
    somebody["role"] = json!(seated.map_or("none", |(name, _)| name));
    let seated = seated.map(|(_, place)| place);
    let further = own.iter().enumerate().filter(|(place, _)| Some(*place) != seated);
    let further = further.map(|(_, role)| assigned(role)).collect::<Vec<_>>();
    if !further.is_empty() {
        somebody["roles"] = sorted(further);
    }
}

/// The roles that somebody has themselves, and not only through a group.
pub fn own_roles(whose: &str, shown: Vec<Value>) -> Vec<Value> {
    let is_own = |role: &Value| {
        role["assignment_sources"]
            .as_array()
            .is_none_or(|sources| sources.iter().any(|source| source["principal_id"] == whose))
    };
    shown.into_iter().filter(is_own).collect()
}

/// A role that somebody has, by the id that holds everywhere.
pub fn assigned(role: &Value) -> Value {
    let id = role["id"].as_str().unwrap_or_default();
    let id = if role["predefined_role"] == true { id.split("__").next().unwrap_or(id) } else { id };
    json!({ "id": id })
}

fn groups(reader: &mut Reader) -> Result<Value> {
    let mut groups = Vec::new();
    for row in reader.list("/organization/groups", &[])? {
        let place = format!("/organization/groups/{}", segment(id(&row)?));
        let mut group = picked(&row, &["id", "name", "created_at"]);
        let users = reader.list(&format!("{place}/users"), &[])?;
        group["users"] = sorted(users.iter().map(|user| picked(user, &["id"])).collect());
        let roles = reader.list(&format!("{place}/roles"), &[])?;
        group["roles"] = sorted(roles.iter().map(assigned).collect());
        groups.push(group);
    }
    Ok(sorted(groups))
}

/// The custom roles of a level.
pub fn roles(reader: &mut Reader, path: &str) -> Result<Value> {
    let rows = reader.list(path, &[])?;
    let custom = rows.iter().filter(|role| role["predefined_role"] != true);
    Ok(sorted(
        custom.map(|role| picked(role, &["id", "name", "permissions", "description"])).collect(),
    ))
}

fn invites(reader: &mut Reader) -> Result<Value> {
    let mut invites = Vec::new();
    for row in reader.list("/organization/invites", &[])? {
        let mut invite =
            picked(&row, &["id", "email", "role", "created_at", "expires_at", "accepted_at"]);
        let projects = row["projects"].as_array().map(Vec::as_slice).unwrap_or_default();
        invite["projects"] =
            projects.iter().map(|project| picked(project, &["id", "role"])).collect();
        invites.push(invite);
    }
    Ok(sorted(invites))
}

fn admin_keys(reader: &mut Reader) -> Result<Value> {
    let rows = reader.list("/organization/admin_api_keys", &[])?;
    let key = |row: &Value| {
        let mut key = picked(row, &["id", "name", "redacted_value", "created_at", "expires_at"]);
        key["owner"] = json!({ "type": "user", "id": row["owner"]["id"] });
        key
    };
    Ok(sorted(rows.iter().map(key).collect()))
}

fn certificates(reader: &mut Reader) -> Result<Value> {
    let mut certificates = Vec::new();
    for row in reader.list("/organization/certificates", &[])? {
        let place = format!("/organization/certificates/{}?include[]=content", segment(id(&row)?));
        let Some(whole) = reader.get(&place)? else { continue };
        let mut certificate = picked(&row, &["id", "name", "created_at", "active"]);
        certificate["content"] = whole["certificate_details"]["content"].clone();
        certificates.push(certificate);
    }
    Ok(sorted(certificates))
}

/// The alerts of a level.
pub fn alerts(reader: &mut Reader, level: &str) -> Result<Value> {
    let rows = reader.list(&format!("{level}/spend_alerts"), &[])?;
    let alert = |row: &Value| {
        let mut alert = picked(row, &["id", "threshold_amount", "currency", "interval"]);
        alert["notification_channel"] =
            picked(&row["notification_channel"], &["type", "recipients", "subject_prefix"]);
        alert
    };
    Ok(sorted(rows.iter().map(alert).collect()))
}

/// A limit of what may be spent.
pub fn spend_limit(shown: &Value) -> Value {
    picked(shown, &["threshold_amount", "currency", "interval"])
}

/// No server says which project is the default one. Its name does, unless it was changed.
fn default_project(projects: &[Value]) -> Option<&str> {
    let named = projects
        .iter()
        .filter(|project| project["name"] == DEFAULT_PROJECT && project["status"] != "archived");
    named.min_by_key(|project| project["created_at"].as_i64())?["id"].as_str()
}

/// Every model, with the most that any project may use of it: a project that may use less than there is says so itself.
fn models(limits: &[Vec<Value>]) -> BTreeMap<String, Value> {
    let mut models: BTreeMap<String, Value> = BTreeMap::new();
    for row in limits.iter().flatten() {
        let Some(name) = row["model"].as_str() else { continue };
        let model = models.entry(name.to_owned()).or_insert_with(|| json!({ "id": name }));
        for limit in LIMITS {
            let more = row[limit].as_i64().max(model[limit].as_i64());
            if let Some(more) = more {
                model[limit] = json!(more);
            }
        }
    }
    models
}

/// What a project may use less of than there is.
fn less(own: &[Value], models: &BTreeMap<String, Value>) -> Value {
    let mut rows = Vec::new();
    for row in own {
        let Some(model) = row["model"].as_str().and_then(|name| models.get(name)) else { continue };
        let differs = |limit: &&&str| !row[**limit].is_null() && row[**limit] != model[**limit];
        let names: Vec<_> = LIMITS.iter().filter(differs).copied().collect();
        if !names.is_empty() {
            let mut limit = picked(row, &names);
            limit["id"] = row["id"].clone();
            rows.push(limit);
        }
    }
    sorted(rows)
}
