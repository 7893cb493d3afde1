//! Images: a store that is opened from one has what was in the other, and nothing of what came after.

use rollbook_sql::{Error, Options, Store, args};

use crate::harness::{Fixture, insert, skip};

fn names(store: &Store) -> Vec<String> {
    store
        .read_blocking(|tx| tx.all("SELECT id FROM items ORDER BY id", args![], |r| r.get(0)))
        .unwrap()
}

fn from_image(image: &rollbook_sql::Image) -> Store {
    Store::from_image(image, Options::new("sqlite::memory:")).unwrap()
}

#[test]
fn a_store_from_an_image_is_the_store_as_it_was() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.write_blocking(|tx| insert(tx, "before", 1)).unwrap();
    let Ok(image) = store.image_blocking() else {
        return skip("only a store in memory has an image");
    };
    assert_eq!(store.image_blocking().unwrap(), image, "nothing changed");
    store.write_blocking(|tx| insert(tx, "after", 2)).unwrap();
    assert_ne!(store.image_blocking().unwrap(), image);

    let second = from_image(&image);
    assert_eq!(names(&second), ["before"]);
    assert_eq!(second.image_blocking().unwrap(), image);
    second.write_blocking(|tx| insert(tx, "elsewhere", 3)).unwrap();
    assert_eq!(names(&second), ["before", "elsewhere"]);
    assert_eq!(names(store), ["after", "before"], "they share nothing");
    assert_eq!(from_image(&image).image_blocking().unwrap(), image);
}

#[test]
fn a_store_from_an_image_refuses_and_rolls_back_like_any_other() {
    let fixture = Fixture::new();
    let Ok(image) = fixture.store.image_blocking() else {
        return skip("only a store in memory has an image");
    };
    let store = from_image(&image);
    let refused: Result<(), Error> = store.write_blocking(|tx| {
        insert(tx, "lost", 1)?;
        Err(Error::Busy)
    });
    assert_eq!(refused, Err(Error::Busy));
    assert_eq!(store.image_blocking().unwrap(), image, "a refused write leaves no trace");
    let many = |store: &Store| {
        for n in 0..2000 {
            store.write_blocking(move |tx| insert(tx, &format!("i{n}"), n)).unwrap();
        }
    };
    many(&store);
    assert_eq!(names(&store).len(), names(&from_image(&image)).len() + 2000);
}

#[test]
fn only_a_store_in_memory_has_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let store = Store::open(Options::new(url)).unwrap();
    assert!(matches!(store.image_blocking(), Err(Error::Statement(_))));
}
