//! `rollbook hosted-tool`: the hosted tools that no project can do without. The API has no operation for them, so this works on a store
//! alone.

use admin::resources::hosted_tool_permissions::store::{self as tools, Tool};
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::Output;
use super::place::OrganizationPlace;
use super::table::{Column, Shape};

const TOOLS: Shape = Shape {
    nothing: "There are no hosted tools.",
    columns: &[Column::text("TOOL", "/id", 0), Column::text("REQUIRED", "/required", 0)],
};

/// What can be done with hosted tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enable a tool for every project, whatever projects say
    #[command(after_help = "Example:\n  rollbook hosted-tool require web_search")]
    Require(Named),
    /// Let each project say whether it uses a tool
    #[command(after_help = "Example:\n  rollbook hosted-tool release web_search")]
    Release(Named),
    /// List the tools, and which of them every project has
    #[command(after_help = "Example:\n  rollbook hosted-tool list")]
    List(List),
}

/// The flags of `hosted-tool require` and `hosted-tool release`.
#[derive(Debug, Args)]
pub struct Named {
    /// The tool
    #[arg(value_parser = PossibleValuesParser::new(Tool::ALL.map(Tool::name)).try_map(|name| tool(&name)))]
    tool: Tool,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `hosted-tool list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

fn tool(name: &str) -> Result<Tool, String> {
    Tool::from_name(name).ok_or_else(|| format!("'{name}' is no hosted tool"))
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Require(named) => named.set(true),
            Self::Release(named) => named.set(false),
            Self::List(list) => list.run(),
        }
    }
}

impl Named {
    fn set(&self, is_required: bool) -> Result<()> {
        let (tool, name) = (self.tool, self.tool.name());
        self.place.open()?.change(move |tx, by| tools::require(tx, by, tool, is_required))?;
        let sentence = if is_required {
            format!("Every project has {name} now.")
        } else {
            format!("Each project says whether it has {name}.")
        };
        self.output.done(&row(tool, is_required), &sentence)
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let required = self.place.read(tools::required)?;
        let rows = Tool::ALL.into_iter().map(|tool| Ok(row(tool, required.contains(&tool))));
        self.output.list(rows, &TOOLS)
    }
}

fn row(tool: Tool, is_required: bool) -> Value {
    json!({ "object": "hosted_tool", "id": tool.name(), "required": is_required })
}
