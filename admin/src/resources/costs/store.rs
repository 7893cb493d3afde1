//! The addresses of those whose costs are shown.

use std::collections::HashMap;

use sql::{Tx, args};

use crate::error::Result;

/// So many are looked up by a statement.
const AT_ONCE: usize = 32;

/// Addresses that were looked up, and who has none.
#[derive(Debug, Default)]
pub struct Addresses(HashMap<String, Option<String>>);

impl Addresses {
    /// Looks up those that are not known yet: of people, and of people who are gone.
    pub fn look_up<'u>(
        &mut self,
        tx: &mut Tx<'_>,
        organization: &str,
        users: impl Iterator<Item = &'u str>,
    ) -> Result<()> {
        let mut new: Vec<_> = users.filter(|user| !self.0.contains_key(*user)).collect();
        new.sort_unstable();
        new.dedup();
        for users in new.chunks(AT_ONCE) {
            self.0.extend(users.iter().map(|user| ((*user).to_owned(), None)));
            let former = "SELECT id, email FROM former_names WHERE organization_id = $1 AND kind = 'user' AND id IN";
            self.read(tx, organization, former, users)?;
            let present = "SELECT id, email FROM users WHERE organization_id = $1 AND id IN";
            self.read(tx, organization, present, users)?;
        }
        Ok(())
    }

    fn read(
        &mut self,
        tx: &mut Tx<'_>,
        organization: &str,
        select: &str,
        users: &[&str],
    ) -> Result<()> {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, users.iter().copied());
        let found = tx.all(&format!("{select} ({places})"), &arguments, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        self.0.extend(found);
        Ok(())
    }

    /// Somebody's address.
    pub fn of(&self, user: &str) -> Option<&str> {
        self.0.get(user)?.as_deref()
    }
}
