//! The part of a list that lies behind a cursor.

use crate::Engine;

/// That a row has the value at one place in a column of a key and lies, in the key's next column, behind the value at another. It is a
/// range of that key, and `ORDER BY` both columns is its order.
///
/// `SQLite` takes the plain form as it is, and looks at each row of a comparison of rows once more: 10,000 instructions for a page of 20.
/// To `PostgreSQL` the plain form says that the first column does not matter for the order. Then it may as well walk another index that
/// has the second column, over everybody who is not in the list, and does so near the end of a large one.
#[must_use]
pub fn behind(
    engine: Engine,
    (column, value): (&str, &str),
    (next, place): (&str, &str),
) -> String {
    match engine {
        Engine::Sqlite => format!("{column} = {value} AND {next} > {place}"),
        Engine::Postgres => {
            format!("({column}, {next}) > ({value}, {place}) AND {column} <= {value}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Store, args};

    /// Both forms mean the same, and this engine can be asked both.
    #[test]
    fn both_engines_mean_the_same_rows() {
        let store = Store::open(Options::new("sqlite::memory:")).unwrap();
        let keys = ["a1", "a2", "a3", "b1", "b2", "c0"];
        for (value, place) in [("a", ""), ("a", "1"), ("b", "0"), ("b", "2"), ("c", ""), ("d", "")]
        {
            let expected: Vec<_> =
                keys.into_iter().filter(|key| key[..1] == *value && key[1..] > *place).collect();
            for engine in [Engine::Sqlite, Engine::Postgres] {
                let behind = behind(engine, ("a", "$1"), ("b", "$2"));
                let of =
                    keys.map(|key| format!("SELECT '{}' AS a, '{}' AS b", &key[..1], &key[1..]));
                let sql = format!(
                    "SELECT a || b FROM ({}) k WHERE {behind} ORDER BY a, b",
                    of.join(" UNION ALL ")
                );
                let read = move |tx: &mut crate::Tx<'_>| {
                    tx.all(&sql, args![value, place], |row| row.get::<String>(0))
                };
                assert_eq!(store.read_blocking(read).unwrap(), expected, "{value} {place}");
            }
        }
    }
}
