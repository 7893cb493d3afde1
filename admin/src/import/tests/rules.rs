//! What an import does with a file that is in order.

use serde_json::json;
use sql::{Tx, args};

use super::{HEADER, check, import, run, view, with_import};
use crate::audit::{Actor, Author, Origin};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::error::{Kind, Result};
use crate::import::window::{Membership, Person};
use crate::import::{Import, Tally, apply};
use crate::resources::users::store::{self as users, Changes, User};
use crate::testing::{Api, fixture};

fn has(api: &Api, line: &str) -> bool {
    view(api, &api.first.organization).iter().any(|seen| seen == line)
}

#[tokio::test]
async fn people_projects_and_memberships_are_added_with_one_event_each() {
    let api = Api::new().await;
    let before = api.events().await.len();
    let tally = import(
        &api,
        "ada@x.example,Ada,owner,Engines,owner\nada@x.example,Ada,owner,Notes,member\nbob@x.example,,reader,,\n",
    );
    let expected =
        Tally { people_added: 2, projects_created: 2, memberships_added: 2, ..Tally::default() };
    assert_eq!(tally, expected);
    let expected = [
        "Default project owner@first.example owner",
        "Engines ada@x.example owner",
        "Notes ada@x.example member",
        "ada@x.example Ada owner",
        "bob@x.example - reader",
        "owner@first.example Olga Owner owner",
    ];
    assert_eq!(view(&api, &api.first.organization), expected);
    let events = api.events().await.split_off(before);
    let kinds: Vec<_> = events.iter().map(|(kind, ..)| kind.as_str()).collect();
    let expected = [
        "user.added",
        "user.added",
        "project.created",
        "project.created",
        "user.added",
        "user.added",
    ];
    assert_eq!(kinds, expected);
    let sql = "SELECT actor_id FROM audit_actors WHERE kind = 'command_line'";
    let actors = with_import(&api, &api.first.organization, |import| {
        import.store.read_blocking(move |tx| tx.all(sql, args![], |row| row.get::<String>(0)))
    });
    assert_eq!(actors, Ok(vec!["command_line:olga".to_owned()]));
}

#[tokio::test]
async fn changes_are_counted_once_for_each_person() {
    let api = Api::new().await;
    import(&api, "ada@x.example,,reader,P,member\nbob@x.example,Bob,reader,,\n");
    let tally = import(
        &api,
        "ada@x.example,,owner,P,owner\nADA@x.example,Ada,owner,,\nbob@x.example,,reader,,\n",
    );
    assert_eq!(tally, Tally { people_updated: 1, memberships_updated: 1, ..Tally::default() });
    assert!(has(&api, "ada@x.example Ada owner") && has(&api, "P ada@x.example owner"));
    assert!(has(&api, "bob@x.example Bob reader"), "a name stays where the file has none");
}

#[tokio::test]
async fn an_owner_follows_another_in_either_order_and_keys_end_with_the_role() {
    for rows in [
        "owner@first.example,,reader,,\nada@x.example,,owner,,\n",
        "ada@x.example,,owner,,\nOwner@First.example,,reader,,\n",
    ] {
        let api = Api::new().await.unwatched();
        let checked = check(&api, format!("{HEADER}{rows}").as_bytes());
        let demotions =
            with_import(&api, &api.first.organization, |import| import.demotions(&checked));
        let demotion = &demotions.unwrap()[0];
        assert_eq!(demotion.email, "owner@first.example");
        let key = &demotion.keys[0];
        assert_eq!(
            (key.id.as_str(), key.name.as_deref()),
            (api.first.key_id.as_str(), Some("First key"))
        );
        assert_eq!(api.get("/organization/users").await.status, 200);
        let tally = import(&api, rows);
        assert_eq!((tally.people_added, tally.people_updated), (1, 1));
        assert_eq!(api.get("/organization/users").await.status, 401);
    }
}

#[tokio::test]
async fn the_last_owner_stays_also_when_the_others_go_between_the_passes() {
    let api = Api::new().await;
    let second = api.add_user("ada@x.example").await;
    api.post(&format!("/organization/users/{second}"), json!({ "role": "owner" })).await.ok();
    let rows = format!("{HEADER}owner@first.example,,reader,,\n");
    let file = &mut std::io::Cursor::new(rows);
    let checked = check(&api, file.get_ref().as_bytes());
    api.post(&format!("/organization/users/{second}"), json!({ "role": "reader" })).await.ok();
    let refused = with_import(&api, &api.first.organization, |import| import.run(file, &checked));
    assert_eq!(refused.unwrap_err().code, Some("last_owner"));
    assert!(has(&api, "owner@first.example Olga Owner owner"));
}

#[tokio::test]
async fn projects_are_matched_among_the_active_ones() {
    let api = Api::new().await;
    let old = api.create_project("Engines").await;
    api.post(&format!("/organization/projects/{old}/archive"), json!({})).await.ok();
    let tally = import(
        &api,
        "ada@x.example,,reader,Engines,member\nada@x.example,,reader,Default project,member\nbob@x.example,,reader,engines,member\n",
    );
    assert_eq!((tally.projects_created, tally.memberships_added), (2, 3));
    assert!(has(&api, "Default project ada@x.example member"));
}

#[tokio::test]
async fn an_ambiguous_project_is_a_fault_that_names_the_ids() {
    let api = Api::new().await;
    let (one, other) = (api.create_project("Twin").await, api.create_project("Twin").await);
    let checked = check(&api, format!("{HEADER}a@x.example,,reader,Twin,member\n").as_bytes());
    let fault = &checked.faults[0];
    assert_eq!((fault.line, fault.column), (2, Some("project")));
    assert!(fault.reason.contains(&one) && fault.reason.contains(&other), "{fault}");
}

#[tokio::test]
async fn what_spreadsheets_write_is_read() {
    let api = Api::new().await;
    let file = "\u{feff}project,email,role,project_role,name\r\n\r\n\"P, \"\"Q\"\"\",ada@x.example,reader,member,\"Ada, Countess\"\r\n,bob@x.example,reader,,";
    let (checked, tally) = run(&api, &api.first.organization, file).unwrap();
    assert_eq!((checked.faults.as_slice(), checked.rows), ([].as_slice(), 2));
    assert_eq!((tally.people_added, tally.memberships_added), (2, 1));
    assert!(
        has(&api, "P, \"Q\" ada@x.example member")
            && has(&api, "ada@x.example Ada, Countess reader")
    );
    assert_eq!(import(&api, ""), Tally::default(), "a file of a header only is a file of nobody");
}

#[tokio::test]
async fn bad_lines_are_left_out_and_of_a_contradiction_the_first_line_holds() {
    let api = Api::new().await;
    let file = format!(
        "{HEADER}a@x.example,A,reader,P,member\na@x.example,,owner,P,member\na@x.example,B,reader,Q,owner\n\
         a@x.example,A,reader,P,owner\nno address,,reader,R,member\na@x.example,,reader,S,member\n"
    );
    let (checked, tally) = run(&api, &api.first.organization, &file).unwrap();
    let faults: Vec<_> = checked
        .faults
        .iter()
        .map(|fault| (fault.line, fault.column.unwrap(), fault.value.as_str()))
        .collect();
    let expected = [
        (3, "role", "owner"),
        (4, "name", "B"),
        (5, "project_role", "owner"),
        (6, "email", "no address"),
    ];
    assert_eq!(faults, expected);
    assert_eq!(
        (checked.count.people, checked.count.projects, checked.count.memberships),
        (1, 2, 2)
    );
    assert_eq!((tally.people_added, tally.projects_created, tally.memberships_added), (1, 2, 2));
}

#[tokio::test]
async fn people_and_projects_of_another_organization_are_left_alone() {
    let api = Api::new().await;
    let other = api.found("second").await;
    fixture::add_user(&api.app, &other.organization, "ada@x.example").await;
    let before = view(&api, &other.organization);
    let tally = import(&api, "ada@x.example,Ada,reader,P,member\n");
    assert_eq!(tally.people_added, 1);
    assert_eq!(view(&api, &other.organization), before);
}

#[tokio::test]
async fn a_file_that_changes_between_the_passes_stops_the_import() {
    let api = Api::new().await;
    let checked = check(&api, format!("{HEADER}a@x.example,,reader,,\n").as_bytes());
    for other in ["a@x.example,,reader,,\nb@x.example,,reader,,\n", "", "a@x.example,,king,,\n"] {
        let file = &mut std::io::Cursor::new(format!("{HEADER}{other}"));
        let refused =
            with_import(&api, &api.first.organization, |import| import.run(file, &checked));
        let error = refused.unwrap_err();
        assert_eq!(error.kind, Kind::Invalid);
        assert!(error.message.starts_with("The file changed while it was read"), "{error}");
    }
}

#[tokio::test]
async fn rows_of_many_portions_are_counted_once() {
    let api = Api::new().await.unwatched();
    let row = |number: usize| {
        format!("p{}@x.example,N,reader,Project {},member\n", number % 700, number % 13)
    };
    let rows: String = (0..3000).map(row).collect();
    let tally = import(&api, &rows);
    assert_eq!((tally.people_added, tally.projects_created), (700, 13));
    assert_eq!(tally.memberships_added, 3000);
}

/// One transaction of an import, with an author of its own.
fn write(
    import: &Import<'_>,
    work: impl Fn(&mut Tx<'_>, &Author) -> Result<Vec<User>> + Send + 'static,
) -> Result<Vec<User>> {
    let (organization, ids) = (import.organization.clone(), import.ids.block(8));
    import.store.write_blocking(move |tx| {
        let actor = Actor::CommandLine { user: "olga".to_owned() };
        let (origin, now) = (Origin::default(), 1_750_000_000);
        work(tx, &Author::new(organization.clone(), actor, origin, now, ids.clone()))
    })
}

/// People and their memberships are applied one after the other, and somebody else may write between.
#[tokio::test]
async fn a_membership_shows_the_person_as_they_are_when_it_is_written() {
    let api = Api::new().await;
    let organization = api.first.organization.clone();
    let changed = with_import(&api, &organization, |import| {
        let person = Person {
            email: "ada@x.example".to_owned(),
            name: Some("Ada".to_owned()),
            role: OrganizationRole::Reader,
        };
        let membership =
            Membership { person: 0, project: "P".to_owned(), role: ProjectRole::Member };
        let drawn = import.ids.block(1);
        let add = move |tx: &mut Tx<'_>, by: &Author| {
            apply::people(tx, by, &drawn, std::slice::from_ref(&person)).map(|(_, people)| people)
        };
        let people = write(import, add).expect("a person can be added");
        let rename = |tx: &mut Tx<'_>, by: &Author| {
            let user = users::find_by_email(tx, by.organization_id(), "ada@x.example")?;
            let user = user.expect("the person is there");
            let changes = Changes { name: Some("Countess".to_owned()), ..Changes::default() };
            users::modify(tx, by, &user, &changes).map(|_| vec![])
        };
        write(import, rename).expect("a person can be renamed");
        let drawn = import.ids.block(1);
        let join = move |tx: &mut Tx<'_>, by: &Author| {
            let membership = std::slice::from_ref(&membership);
            let current = apply::read_again(tx, by, membership, &people)?;
            apply::memberships(tx, by, &drawn, membership, |place| &current[&people[place].id])
                .map(|_| vec![])
        };
        write(import, join)
    });
    assert!(changed.is_ok());
    assert!(view(&api, &organization).contains(&"ada@x.example Countess reader".to_owned()));
}
