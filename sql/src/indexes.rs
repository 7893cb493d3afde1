//! Indexes that are made after the rows: sorting all of them once costs less than looking for the place of each.

use crate::{Engine, Result, Tx, args, list};

/// Indexes that are not there for now. They belong to the transaction that took them away: it makes them again, or fails as a whole.
#[derive(Debug)]
#[must_use = "a table without its indexes answers nothing in time"]
pub struct Indexes {
    /// How each was made.
    texts: Vec<String>,
}

impl Tx<'_> {
    /// Takes away what `CREATE INDEX` made for these tables; keys stay. Nobody may read by one of them meanwhile, so this is for a
    /// transaction that fills a store. `PostgreSQL` keeps them: others may be at work there.
    pub fn take_indexes(&mut self, tables: &[&str]) -> Result<Indexes> {
        if self.engine() == Engine::Postgres {
            return Ok(Indexes { texts: vec![] });
        }
        let mut arguments = args![].to_vec();
        let tables = list(&mut arguments, tables.iter().copied());
        let sql = format!(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({tables})
             ORDER BY name"
        );
        let found = self.all(&sql, &arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (names, texts): (Vec<String>, _) = found.into_iter().unzip();
        for name in names {
            self.execute(&format!("DROP INDEX {name}"), args![])?;
        }
        Ok(Indexes { texts })
    }
}

impl Indexes {
    /// Makes them of the rows that are there now.
    pub fn make(self, tx: &mut Tx<'_>) -> Result<()> {
        self.texts.iter().try_for_each(|text| tx.execute(text, args![]).map(drop))
    }
}
