//! The tenant, as every request knows it.

use sql::{Row, Tx, args};

use crate::error::{Error, Result};

/// What every request knows of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The id that leads every key in the store.
    pub id: String,
    /// The short name, shown in a response header.
    pub slug: String,
    /// The project that every organization has and cannot archive.
    pub default_project_id: String,
}

impl Organization {
    /// Whether it is the one of this id or slug, if a request names one.
    #[must_use]
    pub fn is_named(&self, named: Option<&str>) -> bool {
        named.is_none_or(|named| named == self.id || named == self.slug)
    }

    /// Reads `id, slug, default_project_id`, starting at this column.
    pub fn from_row(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        Ok(Self {
            id: row.get(first)?,
            slug: row.get(first + 1)?,
            default_project_id: row.get(first + 2)?,
        })
    }
}

/// What keeps a text from being a slug, which stands in a header and is typed by hand.
#[must_use]
pub fn fault_of_slug(slug: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if slug.is_empty() || slug.len() > 63 {
        Some("must have 1 to 63 characters")
    } else if !slug.bytes().all(is_plain) || slug.starts_with('-') || slug.ends_with('-') {
        Some("must consist of lower-case letters, digits and hyphens, with no hyphen at either end")
    } else {
        None
    }
}

/// The organization of this slug or id; without a name, the only one there is.
pub fn find_named_or_only(tx: &mut Tx<'_>, name: Option<&str>) -> Result<Organization> {
    let all = list(tx)?;
    let named = |organization: &&Organization| {
        name.is_none_or(|name| organization.slug == name || organization.id == name)
    };
    let found: Vec<_> = all.iter().filter(named).collect();
    match (found.as_slice(), name) {
        ([one], _) => Ok((*one).clone()),
        (_, Some(name)) => Err(Error::not_found("Organization", name)),
        ([], None) => Err(Error::no_organization()),
        (_, None) => {
            let slugs: Vec<_> = all.iter().map(|one| one.slug.as_str()).collect();
            Err(Error::which("organization", &slugs))
        }
    }
}

/// Every organization of the store, by slug. There are a handful at most, so this is no page.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Organization>> {
    let sql = "SELECT id, slug, default_project_id FROM organizations ORDER BY slug";
    Ok(tx.all(sql, args![], |row| Organization::from_row(row, 0))?)
}

/// Whether the store has no organization yet.
pub fn is_empty(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<String> =
        tx.one("SELECT id FROM organizations LIMIT 1", args![], |row| row.get(0))?;
    Ok(first.is_none())
}
