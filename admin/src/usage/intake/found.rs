//! What is looked up of the events of a report, in one snapshot before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use sql::Tx;

use super::{Facts, Reported, Reporter};
use crate::error::Result;
use crate::usage::ids::{self, Hash, Known, Probed, hash};
use crate::usage::kind::Dimension;
use crate::usage::prices::Prices;

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Which of the projects that were named exist.
    pub(super) projects: BTreeSet<String>,
    /// Whose keys are whose, by project and key.
    pub(super) owners: BTreeMap<(String, String), String>,
    /// What things cost.
    pub(super) prices: Prices,
    /// The hash of each event's id.
    pub(super) hashes: Vec<Hash>,
    /// Which of them were counted before.
    pub(super) counted: Vec<bool>,
    /// Where they were looked for.
    pub(super) probed: Probed,
}

impl Found {
    /// Looks up what is needed of these events: each project, key and model once, however many events name it.
    pub fn read(
        tx: &mut Tx<'_>,
        reporter: &Reporter,
        (facts, known): (&Facts, &Known),
        events: &[&Reported],
    ) -> Result<Self> {
        let organization = &reporter.organization;
        let own = reporter.own.as_ref().map(|own| &own.holder);
        let project = |event: &Reported| {
            let named = event.series.value(Dimension::ProjectId).map(str::to_owned);
            named.or_else(|| own.map(|own| own.project_id.clone()))
        };
        let mut projects = BTreeSet::new();
        let mut owners = BTreeMap::new();
        let mut models = BTreeSet::from([""]);
        for event in events {
            models.extend(event.series.value(Dimension::Model));
            let Some(project) = project(event) else { continue };
            let (key, user) =
                (event.series.value(Dimension::ApiKeyId), event.series.value(Dimension::UserId));
            if let (Some(key), None) = (key, user) {
                owners.insert((project.clone(), key.to_owned()), None);
            }
            projects.insert(project);
        }
        let mut existing = BTreeSet::new();
        for project in projects {
            let is_own = own.is_some_and(|own| own.project_id == project);
            if is_own || own.is_none() && facts.has_project(tx, organization, &project)? {
                existing.insert(project);
            }
        }
        for ((project, key), owner) in &mut owners {
            if existing.contains(project) {
                *owner = facts.owner(tx, organization, project, key)?;
            }
        }
        let owners = owners.into_iter().filter_map(|(key, owner)| Some((key, owner?))).collect();
        let prices = Prices::read(tx, organization, models)?;
        let hashes: Vec<Hash> = events.iter().map(|event| hash(&event.id)).collect();
        let (counted, probed) = ids::probe(tx, organization, known, &hashes, &Probed::default())?;
        Ok(Self { projects: existing, owners, prices, hashes, counted, probed })
    }
}
