//! An organization as configuration of Terraform, for the provider `openai/openai`: a block for each thing that the provider knows, and
//! one that imports it, so that the first plan has nothing to change.

mod hcl;
mod labels;
mod organization;
mod projects;

use std::fmt::Write as _;

use self::hcl::{Attributes, block, write_text};
use self::labels::Labels;
use super::format::Document;

/// A file with its name.
pub type File = (&'static str, String);

/// The files of a configuration. What the provider has no resource for is named in the first of them.
#[must_use]
pub fn files(document: &Document) -> Vec<File> {
    let mut labels = Labels::default();
    let organization = organization::write(document, &mut labels);
    let projects = projects::write(document, &mut labels);
    vec![
        ("versions.tf", versions(document)),
        ("organization.tf", organization),
        ("projects.tf", projects),
    ]
}

const VERSIONS: &str = "\
terraform {
  required_version = \">= 1.5.0\"
  required_providers {
    openai = {
      source = \"openai/openai\"
    }
  }
}

# The admin key is read from OPENAI_ADMIN_KEY, and the address of the server from OPENAI_BASE_URL.
provider \"openai\" {}
";

fn versions(document: &Document) -> String {
    let keys: usize = document.projects.iter().map(|project| project.api_keys.len()).sum();
    let archived = document.projects.iter().filter(|project| project.archived_at.is_some()).count();
    let active: usize = document.projects.iter().map(|project| project.certificates.len()).sum();
    let of_organization =
        document.certificates.iter().filter(|one| one.active == Some(true)).count();
    let left_out = [
        (document.admin_api_keys.len(), "admin keys"),
        (keys, "keys of projects"),
        (document.models.len(), "models"),
        (active + of_organization, "active certificates"),
        (document.required_hosted_tools.as_ref().map_or(0, Vec::len), "required hosted tools"),
        (archived, "archived projects"),
        (
            document.invites.iter().filter(|one| one.accepted_at.is_some()).count(),
            "accepted invitations",
        ),
    ];
    let mut text = VERSIONS.to_owned();
    let left_out: Vec<_> = left_out.iter().filter(|(count, _)| *count > 0).collect();
    if !left_out.is_empty() {
        text.push_str("\n# Not here, because the provider has no resource for it or nothing could be changed:\n");
    }
    for (count, what) in left_out {
        let _ = writeln!(text, "#   {count} {what}");
    }
    text
}

/// Writes a resource and the block that imports it.
fn resource(out: &mut String, kind: &str, label: &str, id: &str, attributes: &Attributes) {
    let mut text = String::new();
    write_text(&mut text, id);
    let _ = write!(out, "import {{\n  to = {kind}.{label}\n  id = {text}\n}}\n\n");
    block(out, &format!("resource \"{kind}\" \"{label}\""), attributes);
}
