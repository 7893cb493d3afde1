//! Values keep their type, their bytes and their order.

use proptest::prelude::*;
use rollbook_sql::{Arg, Column, Error, Row, Store, args};

use crate::harness::{Fixture, insert, number, text};

type Sample = (Option<String>, Option<i64>, Option<bool>, Option<Vec<u8>>);

fn sample(row: &Row<'_>) -> Result<Sample, Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Stores the values and reads them back.
fn round_trip(store: &Store, value: &Sample) -> Sample {
    let (t, i, b, y) = value.clone();
    let written = store.write_blocking(move |tx| {
        tx.execute("DELETE FROM samples", args![])?;
        let insert = "INSERT INTO samples (id, t, i, b, y) VALUES (1, $1, $2, $3, $4)";
        tx.execute(insert, args![&t, &i, &b, &y])
    });
    assert_eq!(written, Ok(1));
    let find = "SELECT t, i, b, y FROM samples WHERE id = 1";
    store.read_blocking(move |tx| tx.one(find, args![], sample)).unwrap().unwrap()
}

#[test]
fn edges_come_back_as_they_went() {
    let fixture = Fixture::new();
    for value in [
        (None, None, None, None),
        (Some(String::new()), Some(0), Some(false), Some(vec![])),
        (Some("x".repeat(1 << 20)), Some(i64::MAX), Some(true), Some(vec![0; 1 << 20])),
        (Some("a\u{1f980}\u{fffd}é'\"\\".into()), Some(i64::MIN), None, Some(vec![0, 255, 0])),
        (Some("123".into()), Some(-1), Some(true), Some(b"123".to_vec())),
    ] {
        assert!(round_trip(&fixture.store, &value) == value);
    }
}

#[test]
fn any_value_comes_back_as_it_went() {
    let fixture = Fixture::new();
    let text = proptest::option::of("[^\0]{0,40}");
    let value = (text, any::<Option<i64>>(), any::<Option<bool>>(), any::<Option<Vec<u8>>>());
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() };
    proptest!(config, |(value in value)| {
        prop_assert_eq!(round_trip(&fixture.store, &value), value);
    });
}

#[test]
fn nul_in_a_text_is_refused() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| insert(tx, "a\0b", 1));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
}

#[test]
fn parameters_go_by_number_not_by_place() {
    let fixture = Fixture::new();
    let sql = "INSERT INTO items (n, owner, id) VALUES ($3, $2, $1)";
    fixture.store.write_blocking(move |tx| tx.execute(sql, args!["id", "owner", 5_i64])).unwrap();
    let find = "SELECT id FROM items WHERE n = $2 AND owner > $1 AND id > $1 AND n >= $2";
    let found = fixture.store.read_blocking(move |tx| tx.one(find, args!["a", 5_i64], text));
    assert_eq!(found, Ok(Some("id".into())));
    let many: Vec<Arg<'_>> = (1..=12).map(Arg::Int).collect();
    let found = fixture.store.read_blocking(move |tx| {
        let sql = "SELECT n FROM items WHERE n IN ($12, $11, $10, $9, $8, $7, $6, $5, $4, $3, $2) \
                   AND n > $1";
        tx.one(sql, &many, number)
    });
    assert_eq!(found, Ok(Some(5)));
}

#[test]
fn arguments_must_match_the_parameters() {
    let fixture = Fixture::new();
    let find = "SELECT id FROM items WHERE id = $1";
    for arguments in [vec![], vec![Arg::Text("a"), Arg::Text("b")]] {
        let answer = fixture.store.read_blocking(move |tx| tx.all(find, &arguments, text));
        assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
    }
    let gap = "SELECT id FROM items WHERE id = $1 AND owner = $3";
    let answer = fixture.store.read_blocking(move |tx| tx.all(gap, args!["a", "b"], text));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
}

#[test]
fn a_column_read_as_another_type_is_our_defect() {
    fn read<T: Column + Send + 'static>(store: &Store, column: &'static str) -> Result<T, Error> {
        let sql = format!("SELECT {column} FROM samples");
        let read = store.read_blocking(move |tx| tx.one(&sql, args![], |row| row.get::<T>(0)));
        read.map(|value| value.expect("one row"))
    }
    let fixture = Fixture::new();
    let make = "INSERT INTO samples (id, t, i, b, y) VALUES (1, 'a', 5, NULL, NULL)";
    fixture.store.write_blocking(move |tx| tx.execute(make, args![])).unwrap();
    let store = &fixture.store;
    assert_eq!(read::<String>(store, "t"), Ok("a".into()));
    assert!(matches!(read::<i64>(store, "t"), Err(Error::Statement(_))));
    assert!(matches!(read::<String>(store, "i"), Err(Error::Statement(_))));
    assert!(matches!(read::<bool>(store, "i"), Err(Error::Statement(_))));
    assert!(matches!(read::<Vec<u8>>(store, "t"), Err(Error::Statement(_))));
    assert!(matches!(read::<bool>(store, "b"), Err(Error::Statement(_))), "NULL is no boolean");
    assert_eq!(read::<Option<bool>>(store, "b"), Ok(None));
    let beyond = store
        .read_blocking(|tx| tx.one("SELECT t FROM samples", args![], |row| row.get::<String>(1)));
    assert!(matches!(beyond, Err(Error::Statement(_))), "{beyond:?}");
}

/// Keys that collations like to reorder.
const KEYS: &[&str] = &[
    "a",
    "A",
    "b",
    "B",
    "_",
    "~",
    "-",
    "",
    " ",
    "aa",
    "aB",
    "Aa",
    "a_b",
    "a-b",
    "a~b",
    "ab",
    "1",
    "10",
    "2",
    "é",
    "e",
    "z",
    "Z",
    "ß",
    "ss",
    "\u{1f980}",
    "\u{ffff}",
    "a b",
    "a.b",
    "a/b",
    "É",
];

#[test]
fn a_text_can_be_looked_at_in_its_row() {
    let fixture = Fixture::new();
    let length = |sql: &'static str| {
        let length = |row: &Row<'_>| Ok(row.text(0)?.map(str::len));
        fixture.store.read_blocking(move |tx| tx.one(sql, args![], length))
    };
    assert_eq!(length("SELECT CAST('four' AS TEXT)"), Ok(Some(Some(4))));
    assert_eq!(length("SELECT CAST(NULL AS TEXT)"), Ok(Some(None)));
    assert!(matches!(length("SELECT CAST(4 AS BIGINT)"), Err(Error::Statement(_))));
}

#[test]
fn keys_sort_bytewise() {
    let fixture = Fixture::new();
    fixture
        .store
        .write_blocking(|tx| {
            for key in KEYS {
                insert(tx, key, 1)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    let mut expected: Vec<_> = KEYS.iter().map(ToString::to_string).collect();
    expected.sort();
    let all = "SELECT id FROM items ORDER BY id";
    let sorted = fixture.store.read_blocking(move |tx| tx.all(all, args![], text));
    assert_eq!(sorted.as_ref(), Ok(&expected));
    for key in KEYS {
        let after = "SELECT COUNT(*) FROM items WHERE id > $1";
        let count = fixture.store.read_blocking(move |tx| tx.one(after, args![*key], number));
        let expected = expected.iter().filter(|other| other.as_str() > *key).count();
        assert_eq!(count, Ok(Some(i64::try_from(expected).unwrap())), "after {key:?}");
    }
}

#[test]
fn a_walk_by_key_meets_every_row_once_despite_ties() {
    let fixture = Fixture::new();
    fixture
        .store
        .write_blocking(|tx| {
            for n in 0..100 {
                insert(tx, &format!("item {n:03}"), n / 10)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    let page = "SELECT n, id FROM items WHERE (n, id) > ($1, $2) ORDER BY n, id LIMIT $3";
    let (mut seen, mut place) = (Vec::new(), (-1_i64, String::new()));
    loop {
        let (n, id) = place.clone();
        let rows = fixture.store.read_blocking(move |tx| {
            tx.all(page, args![n, &id, 7_i64], |row| Ok((row.get(0)?, row.get::<String>(1)?)))
        });
        let rows = rows.unwrap();
        let Some(last) = rows.last() else { break };
        place = last.clone();
        seen.extend(rows);
    }
    let expected: Vec<_> = (0..100).map(|n| (n / 10, format!("item {n:03}"))).collect();
    assert_eq!(seen, expected);
}
