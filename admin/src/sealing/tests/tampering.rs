//! Whatever is changed in the record behind the program's back is found, and told by its name.

use std::collections::BTreeSet;

use sql::{Arg, Engine, Row, Tx, args};

use super::NOW;
use crate::audit::{self, Event};
use crate::domain::clock::Random;
use crate::sealing::verify::{Finding, Report, organizations, verify};
use crate::sealing::{Sealer, read::ENTRY};
use crate::testing::{Api, SeededRandom};

/// A table of the record: its columns with their kinds, and which of them are its key.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, char)],
    key: &'static [usize],
}

const TABLES: [Table; 5] = [
    Table {
        name: "audit_events",
        columns: &[
            ("organization_id", 't'),
            ("id", 't'),
            ("kind", 't'),
            ("effective_at", 'i'),
            ("project_id", 't'),
            ("actor", 't'),
            ("ip_address", 't'),
            ("user_agent", 't'),
            ("resource_id", 't'),
            ("payload", 't'),
        ],
        key: &[0, 1],
    },
    Table {
        name: "audit_actors",
        columns: &[
            ("organization_id", 't'),
            ("actor", 't'),
            ("kind", 't'),
            ("actor_id", 't'),
            ("user_id", 't'),
            ("email", 't'),
            ("email_folded", 't'),
        ],
        key: &[0, 1],
    },
    Table {
        name: "audit_resources",
        columns: &[("organization_id", 't'), ("resource_id", 't'), ("event_id", 't')],
        key: &[0, 1, 2],
    },
    Table {
        name: "audit_tail",
        columns: &[("organization_id", 't'), ("id", 't'), ("hash", 'b')],
        key: &[0, 1],
    },
    Table {
        name: "audit_seals",
        columns: &[
            ("organization_id", 't'),
            ("number", 'i'),
            ("first_sequence", 'i'),
            ("events", 'i'),
            ("sealed_at", 'i'),
            ("records", 'b'),
            ("hash", 'b'),
        ],
        key: &[0, 1],
    },
];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Null,
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

type Rows = Vec<Vec<Cell>>;

impl Cell {
    fn of(row: &Row<'_>, index: usize, kind: char) -> sql::Result<Self> {
        Ok(match kind {
            'i' => Self::Number(row.get(index)?),
            'b' => Self::Bytes(row.get(index)?),
            _ => row.get::<Option<String>>(index)?.map_or(Self::Null, Self::Text),
        })
    }

    fn argument(&self) -> Arg<'_> {
        match self {
            Self::Null => Arg::Null,
            Self::Text(text) => Arg::from(text),
            Self::Number(number) => Arg::from(*number),
            Self::Bytes(bytes) => Arg::from(&bytes[..]),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Null | Self::Bytes(_) => String::new(),
        }
    }
}

impl Table {
    async fn rows(&'static self, api: &Api) -> Rows {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), self.name);
        let read = move |tx: &mut Tx<'_>| {
            tx.all(&sql, args![], |row| {
                let columns = self.columns.iter().enumerate();
                columns.map(|(index, (_, kind))| Cell::of(row, index, *kind)).collect()
            })
        };
        let mut rows: Rows =
            api.app.store.read::<_, sql::Error>(read).await.expect("it can be read");
        rows.sort();
        rows
    }

    /// Puts these rows in the place of all that are there.
    async fn replace(&'static self, api: &Api, rows: &Rows) {
        let rows = rows.clone();
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.name,
            names.join(", "),
            places.join(", ")
        );
        let write = move |tx: &mut Tx<'_>| {
            tx.execute(&format!("DELETE FROM {}", self.name), args![])?;
            for row in &rows {
                tx.execute(&insert, &row.iter().map(Cell::argument).collect::<Vec<_>>())?;
            }
            Ok::<_, sql::Error>(())
        };
        api.app.store.write(write).await.expect("it can be written");
    }

    fn is_possible(&self, rows: &Rows) -> bool {
        let keys: BTreeSet<Vec<&Cell>> =
            rows.iter().map(|row| self.key.iter().map(|column| &row[*column]).collect()).collect();
        keys.len() == rows.len()
    }
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % limit as u64).expect("small")
    }
}

/// A record of several seals, with something in the tail, several actors, and events about several things.
async fn recorded() -> Api {
    let api = Api::new().await.unwatched();
    let mut sealer = Sealer::default();
    for number in 0..4 {
        let project = api.create_project(&format!("Project {number}")).await;
        let user = api.add_user(&format!("ada{number}@example.com")).await;
        api.add_member(&project, &user).await;
        about_several(&api, number).await;
        if number < 3 {
            sealer.pass(&api.app.store, NOW, true).await.expect("a pass can be made");
        }
    }
    api
}

/// An event about three things, by somebody at the command line.
async fn about_several(api: &Api, number: usize) {
    let (organization, ids) = (api.first.organization.clone(), api.app.ids.block(4));
    let write = move |tx: &mut Tx<'_>| {
        let actor = audit::Actor::CommandLine { user: format!("user {number}") };
        let by = audit::Author::new(
            organization.clone(),
            actor,
            audit::Origin::default(),
            7,
            ids.clone(),
        );
        let payload = serde_json::json!({ "id": organization.id });
        let event = Event::new("organization.updated", &organization.id, payload);
        let others = [format!("b{number}"), format!("a{number}")];
        audit::append(tx, &by, &event.about(&[&others[0], &others[1]]))
    };
    api.app.store.write(write).await.expect("it can be written");
}

async fn verified(api: &Api) -> Vec<Report> {
    let mut reports = Vec::new();
    for organization in organizations(&api.app.store).await.expect("they can be read") {
        let report = verify(&api.app.store, &organization, None, &mut |_| {}).await;
        reports.push(report.expect("it can be verified"));
    }
    reports
}

fn findings(reports: &[Report]) -> Vec<Finding> {
    reports.iter().flat_map(|report| report.findings.clone()).collect()
}

/// Changes one character, one bit of a number, or one byte; on SQLite sometimes the kind of what is stored.
fn spoilt(cell: &Cell, dice: &Dice, engine: Engine) -> Cell {
    match cell {
        Cell::Null => Cell::Text("x".to_owned()),
        Cell::Number(number) => Cell::Number(number ^ (1 << dice.below(63))),
        Cell::Text(text) if engine == Engine::Sqlite && dice.below(8) == 0 => {
            let mut bytes = text.clone().into_bytes();
            bytes.push(0xFF);
            Cell::Bytes(bytes)
        }
        Cell::Text(text) => {
            let mut bytes = text.clone().into_bytes();
            if bytes.is_empty() {
                return Cell::Text("x".to_owned());
            }
            let place = dice.below(bytes.len());
            bytes[place] = b' ' + u8::try_from(dice.below(90)).expect("small");
            Cell::Text(String::from_utf8(bytes).expect("everything here is ASCII"))
        }
        Cell::Bytes(bytes) => {
            let mut bytes = bytes.clone();
            let place = dice.below(bytes.len());
            bytes[place] ^= 1 << dice.below(8);
            Cell::Bytes(bytes)
        }
    }
}

/// Does one thing to the rows, and answers which of them it touched and what it was.
fn tamper(table: &Table, rows: &mut Rows, dice: &Dice, engine: Engine) -> (Rows, &'static str) {
    let one = dice.below(rows.len());
    let other = dice.below(rows.len());
    let column = dice.below(table.columns.len());
    let before = [rows[one].clone(), rows[other].clone()];
    match dice.below(5) {
        0 => {
            let removed = rows.remove(one);
            (vec![removed], "removed")
        }
        1 => {
            for column in
                (0..table.columns.len()).filter(|column| *column != table.key[table.key.len() - 1])
            {
                let cell = rows[one][column].clone();
                rows[one][column] = rows[other][column].clone();
                rows[other][column] = cell;
            }
            (
                before.into_iter().chain([rows[one].clone(), rows[other].clone()]).collect(),
                "swapped",
            )
        }
        2 => {
            let mut copy = rows[one].clone();
            let key = table.key[table.key.len() - 1];
            copy[key] = match &copy[key] {
                Cell::Number(_) => Cell::Number(i64::try_from(rows.len() + 1).expect("few")),
                cell => spoilt(cell, dice, Engine::Postgres),
            };
            rows.push(copy.clone());
            (vec![copy], "doubled")
        }
        3 if table.name == "audit_seals" => {
            if let Cell::Bytes(records) = &mut rows[one][5] {
                let count = records.len() / ENTRY;
                let (a, b) = (dice.below(count) * ENTRY, dice.below(count) * ENTRY);
                for byte in 0..ENTRY {
                    records.swap(a + byte, b + byte);
                }
            }
            (vec![rows[one].clone()], "entries swapped")
        }
        _ => {
            rows[one][column] = spoilt(&rows[one][column], dice, engine);
            (vec![before[0].clone(), rows[one].clone()], table.columns[column].0)
        }
    }
}

/// By which names what was done may be told: of a record its id, of a seal its number or a record in it, of an actor its name or a
/// record of theirs.
fn names(table: &Table, touched: &Rows, events: &Rows) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in touched {
        match table.name {
            "audit_resources" => drop(names.insert(row[2].shown())),
            "audit_seals" => {
                names.insert(row[1].shown());
                if let Cell::Bytes(records) = &row[5] {
                    let ids =
                        records.chunks(ENTRY).map(|entry| String::from_utf8_lossy(&entry[..24]));
                    names.extend(ids.map(|id| format!("audit_log-{id}")));
                }
            }
            "audit_actors" => {
                names.insert(row[1].shown());
                let of_actor = events.iter().filter(|event| event[5] == row[1]);
                names.extend(of_actor.map(|event| event[1].shown()));
            }
            _ => drop(names.insert(row[1].shown())),
        }
    }
    names
}

#[tokio::test]
async fn whatever_is_tampered_with_is_found_and_named() {
    let api = recorded().await;
    let engine = api.app.store.engine();
    let rounds = if engine == Engine::Sqlite { 1000 } else { 150 };
    let reports = verified(&api).await;
    assert_eq!(findings(&reports), [], "nothing was done yet");
    assert_eq!((reports[0].seals, reports[0].waiting), (3, 4));
    assert_eq!(i64::try_from(reports[0].records - 4), Ok(reports[0].sequence));
    let events = TABLES[0].rows(&api).await;
    let (dice, mut done) = (Dice(SeededRandom::new(20)), 0);
    while done < rounds {
        let table = &TABLES[dice.below(TABLES.len())];
        let whole = table.rows(&api).await;
        let mut rows = whole.clone();
        let (touched, what) = tamper(table, &mut rows, &dice, engine);
        let mut sorted = rows.clone();
        sorted.sort();
        if sorted == whole || !table.is_possible(&rows) {
            continue;
        }
        table.replace(&api, &rows).await;
        let found = findings(&verified(&api).await);
        let names = names(table, &touched, &events);
        let is_named = found.iter().any(|finding| names.contains(&finding.id));
        assert!(is_named, "{}: {what} of {touched:?}, and it was said: {found:?}", table.name);
        table.replace(&api, &whole).await;
        done += 1;
    }
    assert_eq!(findings(&verified(&api).await), [], "all is as it was");
}
