//! From what a server shows of a project to its part of a document.

use anyhow::Result;
use serde_json::{Value, json};

use super::organization::{
    alerts, assigned, id, own_roles, picked, roles, seat, sorted, spend_limit,
};
use super::reader::Reader;
use crate::commands::client::segment;

/// The tools of which a project can do without some.
const TOOLS: [&str; 5] =
    ["file_search", "web_search", "image_generation", "mcp", "code_interpreter"];

/// Reads a project. What it may use of each model is put behind `limits`, because how much there is shows in all of them together.
pub fn read(reader: &mut Reader, row: &Value, limits: &mut Vec<Vec<Value>>) -> Result<Value> {
    let segment = segment(id(row)?);
    let place = format!("/organization/projects/{segment}");
    let level = format!("/projects/{segment}");
    let is_archived = row["status"] == "archived" || !row["archived_at"].is_null();
    let names =
        ["id", "name", "created_at", "archived_at", "external_key_id", "residency", "geography"];
    let mut project = picked(row, &names);
    // Of an archived project its people, service accounts and keys are not shown.
    if !is_archived {
        project["users"] = members(reader, &place, &level)?;
        project["service_accounts"] = accounts(reader, &place, &level)?;
        project["api_keys"] = keys(reader, &place)?;
    }
    project["groups"] = groups(reader, &place, &level)?;
    project["roles"] = roles(reader, &format!("{level}/roles"))?;
    project["spend_alerts"] = alerts(reader, &place)?;
    project["certificates"] = certificates(reader, &place)?;
    if let Some(retention) = reader.get(&format!("{place}/data_retention"))? {
        // What holds where nobody said anything.
        if retention["type"] != "organization_default" {
            project["data_retention"] = picked(&retention, &["type"]);
        }
    }
    if let Some(limit) = reader.find(&format!("{place}/spend_limit"))? {
        project["spend_limit"] = spend_limit(&limit);
    }
    if let Some(models) = reader.find(&format!("{place}/model_permissions"))? {
        project["model_permissions"] = picked(&models, &["mode", "model_ids"]);
    }
    if let Some(tools) = reader.get(&format!("{place}/hosted_tool_permissions"))? {
        let without: Vec<_> =
            TOOLS.into_iter().filter(|tool| tools[*tool]["enabled"] == false).collect();
        if !without.is_empty() {
            project["hosted_tool_permissions"] = picked(&tools, &without);
        }
    }
    limits.push(reader.list(&format!("{place}/rate_limits"), &[])?);
    Ok(project)
}

fn members(reader: &mut Reader, place: &str, level: &str) -> Result<Value> {
    let mut members = Vec::new();
    for row in reader.list(&format!("{place}/users"), &[])? {
        let mut member = picked(&row, &["id", "role", "added_at"]);
        let shown =
            reader.list_if_shown(&format!("{level}/users/{}/roles", segment(id(&row)?)), &[])?;
        seat(&mut member, shown, &["owner", "member"]);
        members.push(member);
    }
    Ok(sorted(members))
}

fn accounts(reader: &mut Reader, place: &str, level: &str) -> Result<Value> {
    let mut accounts = Vec::new();
    for row in reader.list(&format!("{place}/service_accounts"), &[])? {
        let (whose, named) = (id(&row)?, segment(id(&row)?));
        let mut account = picked(&row, &["id", "name", "role", "created_at"]);
        seat(
            &mut account,
            reader.list_if_shown(&format!("{level}/users/{named}/roles"), &[])?,
            &["owner", "member"],
        );
        let everywhere =
            own_roles(whose, reader.list(&format!("/organization/users/{named}/roles"), &[])?);
        if !everywhere.is_empty() {
            account["organization_roles"] = sorted(everywhere.iter().map(assigned).collect());
        }
        accounts.push(account);
    }
    Ok(sorted(accounts))
}

fn groups(reader: &mut Reader, place: &str, level: &str) -> Result<Value> {
    let mut groups = Vec::new();
    for row in reader.list(&format!("{place}/groups"), &[])? {
        let mut group = picked(&row, &["group_id", "created_at"]);
        let named = segment(row["group_id"].as_str().unwrap_or_default());
        let shown = reader.list(&format!("{level}/groups/{named}/roles"), &[])?;
        group["roles"] = sorted(shown.iter().map(assigned).collect());
        groups.push(group);
    }
    Ok(sorted(groups))
}

fn keys(reader: &mut Reader, place: &str) -> Result<Value> {
    let rows = reader.list(&format!("{place}/api_keys"), &[("owner_project_access", "any")])?;
    let key = |row: &Value| {
        let mut key = picked(row, &["id", "name", "redacted_value", "created_at"]);
        let kind = row["owner"]["type"].as_str().unwrap_or("user");
        key["owner"] = json!({ "type": kind, "id": row["owner"][kind]["id"] });
        key
    };
    Ok(sorted(rows.iter().map(key).collect()))
}

fn certificates(reader: &mut Reader, place: &str) -> Result<Value> {
    let rows = reader.list(&format!("{place}/certificates"), &[])?;
    let active = rows.iter().filter(|row| row["active"] == true);
    Ok(sorted(active.map(|row| picked(row, &["id", "active"])).collect()))
}
