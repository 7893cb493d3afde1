//! The words and small values of a document.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$word_about:meta])* $word:ident = $text:tt,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$word_about])* #[serde(rename = $text)] $word,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }

            /// The value of this word.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

words! {
    /// The built-in role of a person in the organization.
    UserRole {
        /// Manages the organization.
        Owner = "owner",
        /// Sees the organization.
        Reader = "reader",
        /// Has only what `roles` and groups give.
        None = "none",
    }
}

words! {
    /// The built-in role of a person or a service account in a project.
    MemberRole {
        /// Manages the project.
        Owner = "owner",
        /// Works in the project.
        Member = "member",
        /// Has only what `roles` and groups give.
        None = "none",
    }
}

words! {
    /// Whose key it is.
    OwnerType {
        /// A person's.
        User = "user",
        /// A service account's of the same project.
        ServiceAccount = "service_account",
    }
}

words! {
    /// Whether a list of models names those that may be used or those that may not.
    Mode {
        /// These and no others.
        AllowList = "allow_list",
        /// All others.
        DenyList = "deny_list",
    }
}

words! {
    /// What an admin key may do.
    KeyScope {
        /// Look.
        ManagementRead = "api.management.read",
        /// Change.
        ManagementWrite = "api.management.write",
        /// See usage and costs.
        UsageRead = "api.usage.read",
    }
}

words! {
    /// Where a model comes from.
    Origin {
        /// The settings of a server, which are followed at each start.
        Configuration = "configuration",
        /// A command or a document.
        Command = "command",
    }
}

words! {
    /// The one currency there is.
    Currency {
        /// United States dollars; amounts are in cents.
        Usd = "USD",
    }
}

words! {
    /// The one interval there is.
    Interval {
        /// A calendar month in UTC.
        Month = "month",
    }
}

words! {
    /// The one way to tell people.
    Channel {
        /// By e-mail.
        Email = "email",
    }
}

words! {
    /// How the data of the organization is kept.
    OrganizationRetention {
        /// Not at all.
        Zero = "zero_data_retention",
        /// As little as it takes to find abuse.
        Modified = "modified_abuse_monitoring",
        /// Not at all, with more features.
        EnhancedZero = "enhanced_zero_data_retention",
        /// As little as it takes to find abuse, with more features.
        EnhancedModified = "enhanced_modified_abuse_monitoring",
    }
}

words! {
    /// How the data of a project is kept.
    ProjectRetention {
        /// As in the organization.
        OrganizationDefault = "organization_default",
        /// As usual.
        None = "none",
        /// Not at all.
        Zero = "zero_data_retention",
        /// As little as it takes to find abuse.
        Modified = "modified_abuse_monitoring",
        /// Not at all, with more features.
        EnhancedZero = "enhanced_zero_data_retention",
        /// As little as it takes to find abuse, with more features.
        EnhancedModified = "enhanced_modified_abuse_monitoring",
    }
}

words! {
    /// A tool that runs beside the model.
    HostedTool {
        /// Searches uploaded files.
        FileSearch = "file_search",
        /// Searches the web.
        WebSearch = "web_search",
        /// Makes images.
        ImageGeneration = "image_generation",
        /// Asks servers of the Model Context Protocol.
        Mcp = "mcp",
        /// Runs programs.
        CodeInterpreter = "code_interpreter",
    }
}

#[expect(clippy::derivable_impls, reason = "its words are declared by a macro")]
impl Default for UserRole {
    fn default() -> Self {
        Self::Reader
    }
}

#[expect(clippy::derivable_impls, reason = "its words are declared by a macro")]
impl Default for Currency {
    fn default() -> Self {
        Self::Usd
    }
}

#[expect(clippy::derivable_impls, reason = "its words are declared by a macro")]
impl Default for Interval {
    fn default() -> Self {
        Self::Month
    }
}

#[expect(clippy::derivable_impls, reason = "its words are declared by a macro")]
impl Default for Channel {
    fn default() -> Self {
        Self::Email
    }
}

/// A key in plain text, which only seeds have. It is hashed when it is read, and prints as dots.
#[derive(Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct Plain(pub String);

impl fmt::Debug for Plain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Plain(…)")
    }
}

/// How data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct OrganizationDataRetention {
    /// How.
    #[serde(rename = "type")]
    pub kind: OrganizationRetention,
}

/// How data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ProjectDataRetention {
    /// How.
    #[serde(rename = "type")]
    pub kind: ProjectRetention,
}

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct SpendLimit {
    /// In cents.
    pub threshold_amount: i64,
    /// The currency.
    #[serde(default)]
    pub currency: Currency,
    /// In which time.
    #[serde(default)]
    pub interval: Interval,
}

/// Who is told of what was spent, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct NotificationChannel {
    /// How.
    #[serde(rename = "type", default)]
    pub kind: Channel,
    /// The addresses.
    pub recipients: Vec<String>,
    /// What the subject of the message begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_prefix: Option<String>,
}

/// Which models a project may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ModelPermissions {
    /// What the list is a list of.
    pub mode: Mode,
    /// The models.
    pub model_ids: Vec<String>,
}

/// Whether a project uses a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ToolPermission {
    /// Whether it does.
    pub enabled: bool,
}

/// Which hosted tools a project uses; of one that is not named nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct HostedToolPermissions {
    /// Searches uploaded files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_search: Option<ToolPermission>,
    /// Searches the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<ToolPermission>,
    /// Makes images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_generation: Option<ToolPermission>,
    /// Asks servers of the Model Context Protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<ToolPermission>,
    /// Runs programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_interpreter: Option<ToolPermission>,
}

impl HostedToolPermissions {
    /// What is said of a tool.
    #[must_use]
    pub fn get(&self, tool: HostedTool) -> Option<bool> {
        let said = match tool {
            HostedTool::FileSearch => self.file_search,
            HostedTool::WebSearch => self.web_search,
            HostedTool::ImageGeneration => self.image_generation,
            HostedTool::Mcp => self.mcp,
            HostedTool::CodeInterpreter => self.code_interpreter,
        };
        said.map(|said| said.enabled)
    }

    /// Those of which it is said that the project does without, as a document says it.
    #[must_use]
    pub fn without(disabled: &[HostedTool]) -> Self {
        let said = |tool| disabled.contains(&tool).then_some(ToolPermission { enabled: false });
        Self {
            file_search: said(HostedTool::FileSearch),
            web_search: said(HostedTool::WebSearch),
            image_generation: said(HostedTool::ImageGeneration),
            mcp: said(HostedTool::Mcp),
            code_interpreter: said(HostedTool::CodeInterpreter),
        }
    }

    /// The tools that the project does without.
    #[must_use]
    pub fn disabled(&self) -> Vec<HostedTool> {
        HostedTool::ALL.iter().copied().filter(|tool| self.get(*tool) == Some(false)).collect()
    }

    /// This, and of tools that are not named what was there before.
    #[must_use]
    pub fn over(&self, before: Option<&Self>) -> Self {
        let is_without = |tool: &HostedTool| {
            let before = before.and_then(|before| before.get(*tool));
            self.get(*tool).or(before) == Some(false)
        };
        let disabled: Vec<_> = HostedTool::ALL.iter().copied().filter(is_without).collect();
        Self::without(&disabled)
    }
}

super::object!(
    OrganizationDataRetention,
    ProjectDataRetention,
    SpendLimit,
    NotificationChannel,
    ModelPermissions,
    ToolPermission,
    HostedToolPermissions
);
