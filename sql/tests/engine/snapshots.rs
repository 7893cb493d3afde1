//! What a read sees.

use rollbook_sql::{Error, args};

use crate::harness::{Fixture, block_on, count, gate, insert, number, skip};

#[test]
fn a_read_sees_every_acknowledged_write() {
    let fixture = Fixture::new();
    let other = fixture.second().unwrap_or_else(|| fixture.store.clone());
    block_on(async {
        for n in 1..=100 {
            let (writer, reader) =
                if n % 2 == 0 { (&fixture.store, &other) } else { (&other, &fixture.store) };
            writer.write(move |tx| insert(tx, &format!("i{n}"), n)).await.unwrap();
            assert_eq!(reader.read(count).await, Ok(n));
            assert_eq!(writer.read(count).await, Ok(n));
        }
    });
}

#[test]
fn a_read_sees_one_snapshot() {
    let fixture = Fixture::new();
    if fixture.is_memory() {
        return skip("in memory a write waits for the read");
    }
    let (door, hold) = gate();
    let store = fixture.store.clone();
    let reader = std::thread::spawn(move || {
        store.read_blocking(move |tx| {
            let before = count(tx)?;
            hold.wait();
            let after = tx.one("SELECT COUNT(*) FROM items WHERE n > $1", args![0_i64], number)?;
            Ok::<_, Error>((before, after))
        })
    });
    door.entered();
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "a", 1)), Ok(1));
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
    door.open();
    assert_eq!(reader.join().unwrap(), Ok((0, Some(0))));
}
