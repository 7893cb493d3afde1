//! An import in one transaction: all of it or nothing, and every index is there again.

use std::io::Cursor;

use sql::{Engine, Tx, args};

use super::{HEADER, check, run_into, with_import, with_import_into};
use crate::audit::{Actor, Author, Origin};
use crate::import::load::{Portions, load};
use crate::import::row::Rows;
use crate::import::window::Window;
use crate::sealing::verify::{Report, verify};
use crate::testing::{Api, snapshot};

const FILE: &str = "email,name,role,project,project_role
ada@x.example,Ada,owner,Engines,owner
ADA@x.example,,owner,Notes,member
bob@x.example,,reader,,
cyd@x.example,Cyd,reader,Engines,member
";

/// What the store says of its indexes.
fn indexes(api: &Api) -> Vec<String> {
    with_import(api, &api.first.organization, |import| {
        let sql = match import.store.engine() {
            Engine::Sqlite => {
                "SELECT name || COALESCE(sql, '') FROM sqlite_schema WHERE type = 'index' ORDER BY 1"
            }
            Engine::Postgres => {
                "SELECT indexname || indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
            }
        };
        let read = move |tx: &mut Tx<'_>| tx.all(sql, args![], |row| row.get::<String>(0));
        import.store.read_blocking(read).expect("the store can be read")
    })
}

#[tokio::test]
async fn everything_is_there_with_its_indexes() {
    let api = Api::new().await;
    let before = indexes(&api);
    let (_, tally) = run_into(&api, &api.first.organization, true, FILE).unwrap();
    assert_eq!((tally.people_added, tally.projects_created, tally.memberships_added), (3, 2, 3));
    assert_eq!(indexes(&api), before);
    // Found by an index that was made of the rows: these, and the founder in the organization and its default project.
    let added = api.get("/organization/audit_logs?event_types[]=user.added").await;
    assert_eq!(added.ok()["data"].as_array().map(Vec::len), Some(2 + 3 + 3));
    // Those who came before are sealed with them, nobody waits, and another import goes on behind.
    let expected = events(&api);
    for file in [FILE.to_owned(), format!("{FILE}dan@x.example,,reader,,\n")] {
        run_into(&api, &api.first.organization, true, &file).unwrap();
        let report = verified(&api).await;
        assert_eq!((report.findings, report.waiting), (vec![], 0));
    }
    assert_eq!(verified(&api).await.records, expected + 1);
}

async fn verified(api: &Api) -> Report {
    verify(&api.app.store, &api.first.organization.id, None, &mut |_| {}).await.unwrap()
}

/// How many events there are.
fn events(api: &Api) -> u64 {
    with_import(api, &api.first.organization, |import| {
        let count = "SELECT COUNT(*) FROM audit_events WHERE organization_id = $1";
        let organization = import.organization.id.clone();
        let read =
            move |tx: &mut Tx<'_>| tx.one(count, args![&organization], |row| row.get::<i64>(0));
        let count = import.store.read_blocking(read).expect("the store can be read");
        count.map_or(0, i64::unsigned_abs)
    })
}

#[tokio::test]
async fn a_file_that_changes_on_the_way_leaves_nothing() {
    let api = Api::new().await;
    let checked = check(&api, FILE.as_bytes());
    let before = (indexes(&api), snapshot::take(&api.app.store).await);
    for changed in [
        format!("{FILE}dan@x.example,,reader,,\n"),
        format!("{FILE}dan@x.example,,king,,\n"),
        format!("{HEADER}ada@x.example,Ada,owner,Engines,owner\n"),
    ] {
        let refused = with_import_into(&api, &api.first.organization, true, |import| {
            import.run(&mut Cursor::new(changed.as_bytes()), &checked)
        });
        let error = refused.unwrap_err();
        assert!(error.message.contains("changed while it was read"), "{}", error.message);
    }
    assert_eq!((indexes(&api), snapshot::take(&api.app.store).await), before);
}

#[tokio::test]
async fn a_reader_that_breaks_off_leaves_nothing() {
    let api = Api::new().await;
    let before = (indexes(&api), snapshot::take(&api.app.store).await);
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        with_import_into(&api, &api.first.organization, true, |import| {
            let draw = |rows: usize, events: usize| {
                let block = |count| import.ids.block(u16::try_from(count).expect("few"));
                let actor = Actor::CommandLine { user: "olga".to_owned() };
                let organization = import.organization.clone();
                let by = Author::new(organization, actor, Origin::default(), 0, block(events));
                (block(rows), by)
            };
            let mut rows = Rows::new(FILE.as_bytes()).expect("the header is right");
            load(import.store, || {
                // A window is handed over only when the one before was taken, so the first one is applied.
                let row = rows.next().expect("the reader breaks off at the end");
                let window = Window::of(vec![row.expect("the rows are right")]);
                Ok(Some(Portions::of(window, draw)))
            })
        })
    }));
    assert!(broken.is_err());
    assert_eq!((indexes(&api), snapshot::take(&api.app.store).await), before);
}
