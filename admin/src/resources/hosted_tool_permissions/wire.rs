//! Hosted tools of a project as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{Tool, Tools};
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};

/// Whether a project may use a tool.
#[derive(Debug, Serialize, ToSchema)]
pub struct HostedToolPermission {
    /// Whether it may.
    enabled: bool,
}

/// Which hosted tools a project may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectHostedToolPermissions {
    /// The search in uploaded files.
    file_search: HostedToolPermission,
    /// The search in the web.
    web_search: HostedToolPermission,
    /// The making of images.
    image_generation: HostedToolPermission,
    /// Servers of the Model Context Protocol.
    mcp: HostedToolPermission,
    /// The running of programs.
    code_interpreter: HostedToolPermission,
}

impl From<&Tools> for ProjectHostedToolPermissions {
    fn from(tools: &Tools) -> Self {
        let of = |tool| HostedToolPermission { enabled: tools.is_enabled(tool) };
        Self {
            file_search: of(Tool::FileSearch),
            web_search: of(Tool::WebSearch),
            image_generation: of(Tool::ImageGeneration),
            mcp: of(Tool::Mcp),
            code_interpreter: of(Tool::CodeInterpreter),
        }
    }
}

/// Whether a project is to be able to use a tool.
#[derive(Debug, ToSchema)]
pub struct HostedToolPermissionUpdate {
    /// Whether it may from now on.
    pub enabled: bool,
}

impl FromFields for HostedToolPermissionUpdate {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { enabled: fields.required_boolean("enabled")? })
    }
}

/// A change of the hosted tools of a project. Null leaves a tool as it is.
#[derive(Debug, ToSchema)]
pub struct ProjectHostedToolPermissionsUpdateRequest {
    /// The search in uploaded files.
    pub file_search: Option<HostedToolPermissionUpdate>,
    /// The search in the web.
    pub web_search: Option<HostedToolPermissionUpdate>,
    /// The making of images.
    pub image_generation: Option<HostedToolPermissionUpdate>,
    /// Servers of the Model Context Protocol.
    pub mcp: Option<HostedToolPermissionUpdate>,
    /// The running of programs.
    pub code_interpreter: Option<HostedToolPermissionUpdate>,
}

impl ProjectHostedToolPermissionsUpdateRequest {
    /// The tools that are named, and what is to become of them.
    #[must_use]
    pub fn wanted(&self) -> Vec<(Tool, bool)> {
        let all = [
            (Tool::FileSearch, &self.file_search),
            (Tool::WebSearch, &self.web_search),
            (Tool::ImageGeneration, &self.image_generation),
            (Tool::Mcp, &self.mcp),
            (Tool::CodeInterpreter, &self.code_interpreter),
        ];
        let named = all.into_iter().filter_map(|(tool, update)| Some((tool, update.as_ref()?)));
        named.map(|(tool, update)| (tool, update.enabled)).collect()
    }
}

impl FromFields for ProjectHostedToolPermissionsUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            file_search: fields.optional_object(Tool::FileSearch.name())?,
            web_search: fields.optional_object(Tool::WebSearch.name())?,
            image_generation: fields.optional_object(Tool::ImageGeneration.name())?,
            mcp: fields.optional_object(Tool::Mcp.name())?,
            code_interpreter: fields.optional_object(Tool::CodeInterpreter.name())?,
        })
    }
}
