//! Projects: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::patch::Patch;
use crate::error::{Error, Result};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The id that everything in it refers to.
    pub id: String,
    /// What people call it; several may have one name.
    pub name: String,
    /// When it was created, in seconds.
    pub created_at: i64,
    /// When it was archived, in seconds. Archiving cannot be undone.
    pub archived_at: Option<i64>,
    /// A key of a key management service elsewhere, kept for the caller.
    pub external_key_id: Option<String>,
    /// Where its data is to live.
    pub residency: Option<String>,
    /// The older spelling of residency, kept as it was sent.
    pub geography: Option<String>,
}

impl Project {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            created_at: row.get(2)?,
            archived_at: row.get(3)?,
            external_key_id: row.get(4)?,
            residency: row.get(5)?,
            geography: row.get(6)?,
        })
    }
}

/// A project about to be created.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// The id to be.
    pub id: String,
    /// Its name.
    pub name: String,
    /// See [`Project::external_key_id`].
    pub external_key_id: Option<String>,
    /// See [`Project::residency`].
    pub residency: Option<String>,
    /// See [`Project::geography`].
    pub geography: Option<String>,
}

impl NewProject {
    /// A project with a name and nothing else.
    #[must_use]
    pub fn named(id: String, name: &str) -> Self {
        Self { id, name: name.to_owned(), external_key_id: None, residency: None, geography: None }
    }
}

/// What a request wants to change about a project.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new external key.
    pub external_key_id: Patch<String>,
    /// A new place, in the older spelling.
    pub geography: Patch<String>,
    /// The place, which cannot change any more.
    pub residency: Option<String>,
}

/// Where a geography stores its data. An unknown one is kept and says nothing about residency.
#[must_use]
pub fn residency_of(geography: &str) -> Option<&'static str> {
    Some(match geography {
        "US" => "US_STORAGE_PROCESSING",
        "EU" => "EU_STORAGE_PROCESSING",
        "JP" => "JP_STORAGE",
        "KR" => "KR_STORAGE",
        "CA" => "CA_STORAGE",
        "SG" => "SG_STORAGE",
        "IN" => "IN_STORAGE",
        "AU" => "AU_STORAGE",
        _ => return None,
    })
}

/// A page of projects, by id.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    with_archived: bool,
    page: &PageRequest,
) -> Result<Slice<Project>> {
    let sql = if with_archived {
        "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
         WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3"
    } else {
        "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
         WHERE organization_id = $1 AND id > $2 AND archived_at IS NULL ORDER BY id LIMIT $3"
    };
    let rows = tx.all(sql, args![organization, &page.above, page.fetch()], Project::from_row)?;
    Ok(page.cut(rows))
}

/// The project of this id in whatever state, or 404. For reads that archived projects still answer.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Project> {
    if !is_possible_id(id) {
        return Err(Error::project_not_found(id));
    }
    let found = tx.one(
        "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
         WHERE organization_id = $1 AND id = $2",
        args![organization, id],
        Project::from_row,
    )?;
    found.ok_or_else(|| Error::project_not_found(id))
}

/// The project of this id if it is active, else 404 or 400. For changes, and for the lists that archived projects refuse.
pub fn find_active(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Project> {
    let project = find(tx, organization, id)?;
    let is_archived = project.archived_at.is_some();
    if is_archived { Err(Error::project_archived(&project.id)) } else { Ok(project) }
}

/// The project of this id if anything lives in it, else 404 for the thing that was asked for: an archived project holds
/// nobody, and who removes leftovers must learn that they are gone.
pub fn find_inhabited(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
    gone: impl Fn() -> Error,
) -> Result<Project> {
    let project = find(tx, organization, id)?;
    if project.archived_at.is_some() { Err(gone()) } else { Ok(project) }
}

/// Those of these projects that there are, in whatever state.
pub fn find_several(tx: &mut Tx<'_>, organization: &str, ids: &[&str]) -> Result<Vec<Project>> {
    let ids: Vec<_> = ids.iter().copied().filter(|id| is_possible_id(id)).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = args![organization].to_vec();
    let places = sql::list(&mut arguments, ids);
    let sql = format!(
        "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
         WHERE organization_id = $1 AND id IN ({places})"
    );
    Ok(tx.all(&sql, &arguments, Project::from_row)?)
}

/// The active projects of this name; two are enough to know that the name is ambiguous, a few more to say which.
///
/// The name is a range and not an equality, because then only the names' index fits: with an equality SQLite takes the
/// primary key to be as good, and walks every project of the organization.
pub fn find_by_name(tx: &mut Tx<'_>, organization: &str, name: &str) -> Result<Vec<Project>> {
    let sql = "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
               WHERE organization_id = $1 AND (name, id) > ($2, '') AND name <= $2 AND archived_at IS NULL
               ORDER BY name, id LIMIT 5";
    Ok(tx.all(sql, args![organization, name], Project::from_row)?)
}

/// Creates a project.
pub fn create(tx: &mut Tx<'_>, by: &Author, new: &NewProject) -> Result<Project> {
    let project = Project {
        id: new.id.clone(),
        name: new.name.clone(),
        created_at: by.now,
        archived_at: None,
        external_key_id: new.external_key_id.clone(),
        residency: new.residency.clone(),
        geography: new.geography.clone(),
    };
    tx.execute(
        "INSERT INTO projects (organization_id, id, name, created_at, external_key_id, residency, geography)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            by.organization_id(),
            &project.id,
            &project.name,
            project.created_at,
            project.external_key_id.as_deref(),
            project.residency.as_deref(),
            project.geography.as_deref()
        ],
    )?;
    let payload =
        json!({ "id": project.id, "data": { "name": project.name, "title": project.name } });
    audit::append(
        tx,
        by,
        &Event::new("project.created", &project.id, payload).in_project(&project.id),
    )?;
    Ok(project)
}

/// What the default project answers to a change, whatever the change was to be.
#[must_use]
pub fn default_is_fixed() -> Error {
    Error::default_project(
        "The default project cannot be changed. Create another project for this.",
    )
}

/// Whether this is the project that every organization keeps.
#[must_use]
pub fn is_default(by: &Author, project: &Project) -> bool {
    project.id == by.organization.default_project_id
}

/// Changes an active project. The default project refuses every change.
pub fn modify(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &Project,
    changes: &Changes,
) -> Result<Project> {
    let after = match changed(project, changes) {
        Ok(after) if after == *project => return Ok(after),
        _ if is_default(by, project) => return Err(default_is_fixed()),
        after => after?,
    };
    tx.execute(
        "UPDATE projects SET name = $3, external_key_id = $4, residency = $5, geography = $6
         WHERE organization_id = $1 AND id = $2",
        args![
            by.organization_id(),
            &after.id,
            &after.name,
            after.external_key_id.as_deref(),
            after.residency.as_deref(),
            after.geography.as_deref()
        ],
    )?;
    let requested =
        if after.name == project.name { json!({}) } else { json!({ "title": after.name }) };
    let payload = json!({ "id": after.id, "changes_requested": requested });
    audit::append(
        tx,
        by,
        &Event::new("project.updated", &after.id, payload).in_project(&after.id),
    )?;
    Ok(after)
}

fn changed(project: &Project, changes: &Changes) -> Result<Project> {
    let mut after = project.clone();
    if let Some(name) = &changes.name {
        after.name.clone_from(name);
    }
    after.external_key_id = changes.external_key_id.clone().apply(after.external_key_id);
    match &changes.geography {
        Patch::Absent => {}
        // Some clients send null for what they never set; that must not take away a residency given by its own name.
        Patch::Null if project.geography.is_none() => {}
        Patch::Null => {
            let given = project.geography.as_deref().and_then(residency_of);
            after.residency = after.residency.filter(|residency| Some(residency.as_str()) != given);
            after.geography = None;
        }
        Patch::Value(place) => {
            after.residency = residency_of(place).map(str::to_owned).or(after.residency);
            after.geography = Some(place.clone());
        }
    }
    if changes.residency.is_some() && changes.residency != after.residency {
        let message = "Invalid value for 'residency': the residency of a project cannot change. Create another project with it.";
        return Err(Error::invalid("invalid_value", message).param("residency"));
    }
    Ok(after)
}

/// Refuses the archiving of the default project.
pub fn ensure_archivable(by: &Author, project: &Project) -> Result<()> {
    if is_default(by, project) {
        return Err(Error::default_project("The default project cannot be archived."));
    }
    Ok(())
}

/// Archives a project. Nothing in it is deleted: it is no longer read. Archiving again changes nothing.
pub fn archive(tx: &mut Tx<'_>, by: &Author, project: Project) -> Result<Project> {
    ensure_archivable(by, &project)?;
    if project.archived_at.is_some() {
        return Ok(project);
    }
    tx.execute(
        "UPDATE projects SET archived_at = $3 WHERE organization_id = $1 AND id = $2",
        args![by.organization_id(), &project.id, by.now],
    )?;
    let payload = json!({ "id": project.id });
    audit::append(
        tx,
        by,
        &Event::new("project.archived", &project.id, payload).in_project(&project.id),
    )?;
    Ok(Project { archived_at: Some(by.now), ..project })
}
