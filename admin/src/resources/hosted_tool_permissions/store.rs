//! Which hosted tools a project may use: rules and rows. A project may use all of them but those that it does without, and cannot do
//! without those that the organization requires.

use std::collections::BTreeSet;

use sql::{Row, Tx, args};

use crate::audit::{self, Author};
use crate::error::{Error, Kind, Result};
use crate::resources::level::{At, Level};

/// A tool that runs beside the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Searches uploaded files.
    FileSearch,
    /// Searches the web.
    WebSearch,
    /// Makes images.
    ImageGeneration,
    /// Asks servers of the Model Context Protocol.
    Mcp,
    /// Runs programs.
    CodeInterpreter,
}

impl Tool {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::FileSearch,
        Self::WebSearch,
        Self::ImageGeneration,
        Self::Mcp,
        Self::CodeInterpreter,
    ];

    /// What it is called, on the wire and in rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FileSearch => "file_search",
            Self::WebSearch => "web_search",
            Self::ImageGeneration => "image_generation",
            Self::Mcp => "mcp",
            Self::CodeInterpreter => "code_interpreter",
        }
    }

    /// The tool of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// What holds for the tools of a project.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// Those that the project does without.
    disabled: BTreeSet<Tool>,
    /// Those that every project of the organization has.
    required: BTreeSet<Tool>,
}

impl Tools {
    /// Whether the project may use this one.
    #[must_use]
    pub fn is_enabled(&self, tool: Tool) -> bool {
        self.required.contains(&tool) || !self.disabled.contains(&tool)
    }
}

/// What holds for the tools of this project.
pub fn find(tx: &mut Tx<'_>, level: &Level) -> Result<Tools> {
    let sql = "SELECT project_id, hosted_tools FROM policies WHERE organization_id = $1 AND project_id IN ('', $2)";
    let read = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<Option<String>>(1)?));
    let mut tools = Tools::default();
    for (project, words) in tx.all(sql, args![&level.organization, level.project_key()], read)? {
        let named = named(words.as_deref());
        if project.is_empty() {
            tools.required = named;
        } else {
            tools.disabled = named;
        }
    }
    Ok(tools)
}

/// The tools that every project of the organization has.
pub fn required(tx: &mut Tx<'_>, organization: &str) -> Result<BTreeSet<Tool>> {
    let sql = "SELECT hosted_tools FROM policies WHERE organization_id = $1 AND project_id = ''";
    let words: Option<Option<String>> = tx.one(sql, args![organization], |row| row.get(0))?;
    Ok(named(words.flatten().as_deref()))
}

/// The tools that a row names.
fn named(words: Option<&str>) -> BTreeSet<Tool> {
    words.unwrap_or_default().split(' ').filter_map(Tool::from_name).collect()
}

/// Makes every project of the organization have a tool, or leaves it to each of them. The API has no operation for it.
pub fn require(tx: &mut Tx<'_>, by: &Author, tool: Tool, is_required: bool) -> Result<()> {
    let level = At::Organization.find(tx, by.organization_id())?;
    let mut required = required(tx, &level.organization)?;
    let is_changed = if is_required { required.insert(tool) } else { required.remove(&tool) };
    if is_changed {
        write(tx, &level, &required)?;
        audit::append(tx, by, &level.changed())?;
    }
    Ok(())
}

/// Lets a project use some tools and others not.
pub fn update(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    wanted: &[(Tool, bool)],
) -> Result<Tools> {
    let before = find(tx, level)?;
    let mut after = before.clone();
    for (tool, is_enabled) in wanted {
        if *is_enabled {
            after.disabled.remove(tool);
        } else if before.required.contains(tool) {
            return Err(is_required(*tool));
        } else {
            after.disabled.insert(*tool);
        }
    }
    if after.disabled != before.disabled {
        write(tx, level, &after.disabled)?;
        audit::append(tx, by, &level.changed())?;
    }
    Ok(after)
}

/// Of a project these are the tools that it does without, of the organization those that it requires.
fn write(tx: &mut Tx<'_>, level: &Level, tools: &BTreeSet<Tool>) -> Result<()> {
    let words: Vec<_> = tools.iter().map(|tool| tool.name()).collect();
    let words = Some(words.join(" ")).filter(|words| !words.is_empty());
    tx.execute(
        "INSERT INTO policies (organization_id, project_id, hosted_tools) VALUES ($1, $2, $3)
         ON CONFLICT (organization_id, project_id) DO UPDATE SET hosted_tools = excluded.hosted_tools",
        args![&level.organization, level.project_key(), words.as_deref()],
    )?;
    Ok(())
}

fn is_required(tool: Tool) -> Error {
    let name = tool.name();
    let message = format!(
        "The tool '{name}' is enabled for all projects of the organization and cannot be disabled here. Leave it out."
    );
    Error::new(Kind::Invalid, message).param(format!("{name}.enabled"))
}
