//! The schema: portable migration files, each applied once.

use std::time::Duration;

use crate::{Engine, Error, Result, Store, Tx, args};

/// A migration may rebuild a large table; no request waits for it.
const LIMIT: Duration = Duration::from_hours(1);
/// How often the table of applied migrations is created if others create it at the same moment.
const ATTEMPTS: u32 = 5;

/// One step of the schema.
///
/// The text is written once for both engines: `KEYTEXT` is a text that sorts bytewise, `BYTES`
/// holds bytes, and `CLUSTERED` after `CREATE TABLE (…)` keeps the rows in the primary key's order
/// where the engine can. A statement ends with `;` at the end of a line, and only there.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// Its place in the order; positive, and never reused.
    pub number: u32,
    /// What it is called in messages.
    pub name: &'a str,
    /// The statements. Released text never changes: a checksum is kept with the store.
    pub text: &'a str,
}

/// A migration that owns its text, so that it can travel to a store thread.
#[derive(Clone)]
struct Step {
    number: u32,
    name: String,
    text: String,
    checksum: String,
}

/// Copies the migrations and checks their order.
fn plan(migrations: &[Migration<'_>]) -> Result<Vec<Step>> {
    if migrations.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(Error::Migration("migration numbers must rise".into()));
    }
    let step = |m: &Migration<'_>| Step {
        number: m.number,
        name: m.name.to_owned(),
        text: m.text.to_owned(),
        checksum: checksum(m.text),
    };
    Ok(migrations.iter().map(step).collect())
}

impl Store {
    /// Applies what is missing, all of it or nothing, and answers the numbers applied now. Any
    /// number of processes may do this at the same time. Blocks, so it has no place in an asynchronous context.
    pub fn migrate(&self, migrations: &[Migration<'_>]) -> Result<Vec<u32>> {
        let plan = plan(migrations)?;
        // Its own transaction: creating it fixes PostgreSQL's snapshot, which must be newer than the
        // lock below. Of several processes doing so at once, all but one are told `Duplicate`.
        let mut attempt = 1;
        while let Err(error) = self.write_within(LIMIT, create) {
            if attempt == ATTEMPTS || !matches!(error, Error::Duplicate | Error::Statement(_)) {
                return Err(error);
            }
            attempt += 1;
        }
        self.write_within(LIMIT, move |tx| apply(tx, &plan))
    }

    /// The numbers not applied yet. An `Ok` with an empty list says that the store can be reached
    /// and that its schema is this program's, which is what a readiness check wants to know.
    pub async fn pending(&self, migrations: &[Migration<'_>]) -> Result<Vec<u32>> {
        let plan = plan(migrations)?;
        self.read(move |tx| missing(tx, &plan)).await
    }
}

fn create(tx: &mut Tx<'_>) -> Result<()> {
    if !exists(tx)? {
        let text = "CREATE TABLE schema_migrations (\
                    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
        tx.execute(text, args![])?;
    }
    Ok(())
}

fn exists(tx: &mut Tx<'_>) -> Result<bool> {
    let text = match tx.engine() {
        Engine::Sqlite => "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'",
        Engine::Postgres => "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL",
    };
    Ok(tx.one(text, args![], |_| Ok(()))?.is_some())
}

/// Brings the schema up to date. `SQLite` has locked the file by now; `PostgreSQL` waits here for
/// another process that migrates, before it takes its snapshot.
fn apply(tx: &mut Tx<'_>, plan: &[Step]) -> Result<Vec<u32>> {
    if tx.engine() == Engine::Postgres {
        tx.execute("LOCK TABLE schema_migrations IN SHARE ROW EXCLUSIVE MODE", args![])?;
    }
    let numbers = missing(tx, plan)?;
    for step in plan.iter().filter(|step| numbers.contains(&step.number)) {
        run(tx, step)?;
    }
    Ok(numbers)
}

fn run(tx: &mut Tx<'_>, step: &Step) -> Result<()> {
    let Step { number, name, .. } = step;
    for sql in statements(&step.text, tx.engine()) {
        tx.execute(&sql, args![]).map_err(|error| {
            Error::Migration(format!("migration {number} ({name}) failed: {error}, in: {sql}"))
        })?;
    }
    let text = "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)";
    tx.execute(text, args![*number, name, &step.checksum]).map(drop)
}

/// The numbers of `plan` that are not applied, after checking that those applied are the same.
fn missing(tx: &mut Tx<'_>, plan: &[Step]) -> Result<Vec<u32>> {
    let mut numbers: Vec<u32> = plan.iter().map(|step| step.number).collect();
    if !exists(tx)? {
        return Ok(numbers);
    }
    let text = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";
    let applied = tx.all(text, args![], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<String>(2)?))
    })?;
    for (number, name, checksum) in applied {
        check(plan, number, &name, &checksum)?;
        numbers.retain(|n| i64::from(*n) != number);
    }
    Ok(numbers)
}

fn check(plan: &[Step], number: i64, name: &str, checksum: &str) -> Result<()> {
    match plan.iter().find(|step| i64::from(step.number) == number) {
        None => Err(Error::Migration(format!(
            "this store was written by a newer rollbook: it holds migration {number} ({name}), \
             which this one does not know; run the newer rollbook, or restore a backup"
        ))),
        Some(step) if step.checksum != checksum => Err(Error::Migration(format!(
            "migration {number} ({name}) was changed after it was applied to this store; \
             run an unmodified rollbook, or restore a backup"
        ))),
        Some(_) => Ok(()),
    }
}

/// The statements of a migration in the engine's words, without comment lines.
fn statements(text: &str, engine: Engine) -> Vec<String> {
    let lines = text.lines().map(str::trim_end).filter(|l| !l.trim_start().starts_with("--"));
    let mut statements = vec![String::new()];
    for line in lines {
        let (body, ends) = line.strip_suffix(';').map_or((line, false), |body| (body, true));
        if let Some(statement) = statements.last_mut() {
            statement.push_str(&translated(body, engine));
            statement.push('\n');
        }
        if ends {
            statements.push(String::new());
        }
    }
    statements.iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// Replaces the neutral words, whole words only.
fn translated(line: &str, engine: Engine) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| in_word(c) == in_word(first);
        let (piece, tail) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
        out.push_str(match (piece, engine) {
            ("KEYTEXT", Engine::Sqlite) => "TEXT",
            ("KEYTEXT", Engine::Postgres) => "TEXT COLLATE \"C\"",
            ("BYTES", Engine::Sqlite) => "BLOB",
            ("BYTES", Engine::Postgres) => "BYTEA",
            ("CLUSTERED", Engine::Sqlite) => "WITHOUT ROWID",
            ("CLUSTERED", Engine::Postgres) => "",
            _ => piece,
        });
        rest = tail;
    }
    out
}

/// FNV-1a, 64 bits: it has to notice an edit, not an attacker.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
