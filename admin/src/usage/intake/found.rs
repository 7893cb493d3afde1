//! What is looked up of the events of a report, in one snapshot before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use sql::Tx;

use super::{Facts, Reported, Reporter};
use crate::error::Result;
use crate::usage::ids::{Hash, Known, Probed, Sieve, hash};
use crate::usage::kind::Dimension;
use crate::usage::prices::Prices;

/// What has to be looked up of events: each project, key and model once, however many events name it.
#[derive(Debug)]
pub struct Wanted {
    /// The projects; none stands for the one of a key that reports.
    projects: Vec<Option<String>>,
    /// Keys whose owner nobody told, with their projects.
    keys: Vec<(Option<String>, String)>,
    models: Vec<String>,
    /// The hash of each event's id.
    pub hashes: Vec<Hash>,
}

impl Wanted {
    /// What these events need.
    pub fn of<'e>(events: impl Iterator<Item = &'e Reported> + Clone) -> Self {
        let mut projects = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let mut models = BTreeSet::from([""]);
        for event in events.clone() {
            let value = |dimension| event.series.value(dimension);
            let project = value(Dimension::ProjectId);
            models.extend(value(Dimension::Model));
            projects.insert(project);
            if let (Some(key), None) = (value(Dimension::ApiKeyId), value(Dimension::UserId)) {
                keys.insert((project, key));
            }
        }
        let own = |name: Option<&str>| name.map(str::to_owned);
        Self {
            projects: projects.into_iter().map(own).collect(),
            keys: keys.into_iter().map(|(project, key)| (own(project), key.to_owned())).collect(),
            models: models.into_iter().map(str::to_owned).collect(),
            hashes: events.map(|event| hash(&event.id)).collect(),
        }
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Which of the projects that were named exist.
    pub(super) projects: BTreeSet<String>,
    /// Whose keys are whose, by project and key.
    pub(super) owners: BTreeMap<(String, String), String>,
    /// What things cost.
    pub(super) prices: Prices,
}

impl Found {
    /// Looks up what is wanted, and the runs in which the ids may be that were counted.
    pub fn read(
        tx: &mut Tx<'_>,
        reporter: &Reporter,
        (facts, known): (&Facts, &Known),
        wanted: &Wanted,
    ) -> Result<(Self, Sieve)> {
        let organization = &reporter.organization;
        let own = reporter.own.as_ref().map(|own| &own.holder.project_id);
        let mut projects = BTreeSet::new();
        for project in wanted.projects.iter().filter_map(|named| named.as_ref().or(own)) {
            let is_own = own == Some(project);
            if is_own || own.is_none() && facts.has_project(tx, organization, project)? {
                projects.insert(project.clone());
            }
        }
        let mut owners = BTreeMap::new();
        for (named, key) in &wanted.keys {
            let Some(project) = named.as_ref().or(own).filter(|one| projects.contains(*one)) else {
                continue;
            };
            if let Some(owner) = facts.owner(tx, organization, project, key)? {
                owners.insert((project.clone(), key.clone()), owner);
            }
        }
        let prices = Prices::read(tx, organization, wanted.models.iter().map(String::as_str))?;
        let sieve = Sieve::read(tx, organization, known, &Probed::default())?;
        Ok((Self { projects, owners, prices }, sieve))
    }
}
