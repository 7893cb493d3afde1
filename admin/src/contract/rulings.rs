//! Which test asserts which ruling of the contract (section 5) and which choice of ours in its appendix A (the lines with a dagger).
//! A test says in its comment what it asserts, and the table here says so too: no label can lose its tests unseen.

use std::collections::BTreeSet;
use std::path::Path;

use super::layering::sources;
use super::record::LINES;

/// How many rulings there are.
const RULINGS: usize = 26;

/// Each ruling and each line with a dagger, with the tests that assert it.
const TESTS: &[(&str, &[&str])] = &[
    ("5.1", &["contract::access::a_key_of_a_project_opens_nothing_here"]),
    (
        "5.2",
        &[
            "resources::projects::tests::geography_is_kept_and_gives_the_residency",
            "resources::projects::tests::residency_is_chosen_once",
        ],
    ),
    (
        "5.3",
        &[
            "contract::paging::limits_out_of_bounds_are_refused_not_clamped",
            "contract::paging::pages_of_any_size_add_up_to_the_whole_list_in_order",
            "resources::certificates::tests::activation::rulings_5_3_5_18_and_5_23_the_newest_comes_first",
            "resources::rate_limits::tests::a_page_may_have_a_thousand_rows",
        ],
    ),
    (
        "5.4",
        &["resources::costs::tests::costs_are_grouped_in_four_ways_and_by_user_with_more_members"],
    ),
    ("5.5", &["resources::costs::tests::an_amount_is_a_plain_decimal_with_all_its_digits"]),
    ("5.6", &["resources::projects::tests::archiving_twice_is_answered_alike_and_recorded_once"]),
    (
        "5.7",
        &[
            "resources::project_users::tests::organization_owners_are_listed_only_where_they_were_added",
            "resources::role_assignments::tests::ladder::the_built_in_roles_of_a_member_are_a_set_whose_mightiest_is_shown",
            "resources::role_assignments::tests::users::membership_neither_comes_nor_goes_with_a_role",
        ],
    ),
    (
        "5.8",
        &[
            "resources::role_assignments::tests::users::lists_show_inherited_roles_with_their_sources",
        ],
    ),
    (
        "5.9",
        &[
            "resources::groups::tests::a_group_is_created_shown_renamed_listed_and_deleted",
            "resources::role_assignments::tests::groups::a_group_is_given_roles_at_both_levels",
        ],
    ),
    (
        "5.10",
        &[
            "resources::certificates::tests::activation::ruling_5_10_only_what_is_active_nowhere_is_deleted",
            "resources::group_users::tests::the_answer_to_a_removal_names_nobody",
            "resources::model_permissions::tests::a_list_is_set_shown_replaced_and_forgotten",
            "resources::project_groups::tests::a_group_is_added_listed_shown_and_removed",
            "resources::role_assignments::tests::groups::a_group_is_given_roles_at_both_levels",
            "resources::spend_alerts::tests::an_alert_is_created_shown_replaced_listed_and_deleted",
            "resources::spend_limits::tests::a_limit_is_set_shown_replaced_and_taken_away",
        ],
    ),
    (
        "5.11",
        &[
            "resources::data_retention::tests::every_level_begins_with_a_setting",
            "resources::spend_alerts::tests::an_alert_is_created_shown_replaced_listed_and_deleted",
        ],
    ),
    (
        "5.12",
        &[
            "resources::audit_logs::tests::an_update_carries_what_was_requested",
            "resources::project_users::tests::a_member_is_added_listed_shown_changed_and_removed",
            "resources::rate_limits::tests::a_project_may_use_less_of_a_model",
        ],
    ),
    (
        "5.13",
        &[
            "contract::providers::an_archived_project_takes_nothing_in_and_shows_what_the_rulings_say",
            "resources::certificates::tests::activation::ruling_5_13_an_archived_project_holds_no_certificate_back",
            "resources::data_retention::tests::an_archived_project_shows_its_setting_and_changes_it_no_more",
            "resources::hosted_tool_permissions::tests::ruling_5_13_an_archived_project_keeps_its_tools",
            "resources::model_permissions::tests::an_archived_project_lets_go_of_its_list",
            "resources::project_api_keys::tests::rulings_5_13_and_5_14_an_archived_project_shows_no_keys",
            "resources::project_groups::tests::an_archived_project_shows_its_groups_and_lets_them_go",
            "resources::project_users::tests::an_archived_project_refuses_its_list_and_changes_and_holds_nobody",
            "resources::rate_limits::tests::an_archived_project_shows_its_limits_only",
            "resources::role_assignments::tests::rules::in_an_archived_project_roles_are_shown_and_taken_but_not_given",
            "resources::roles::tests::roles_of_an_archived_project_are_frozen",
            "resources::service_accounts::tests::rulings_5_13_and_5_14_nothing_lives_in_an_archived_project",
            "resources::spend_alerts::tests::alerts_of_an_archived_project_may_go",
            "resources::spend_limits::tests::the_limit_of_an_archived_project_may_go",
        ],
    ),
    (
        "5.14",
        &[
            "contract::providers::an_archived_project_takes_nothing_in_and_shows_what_the_rulings_say",
            "resources::project_api_keys::tests::rulings_5_13_and_5_14_an_archived_project_shows_no_keys",
            "resources::project_users::tests::an_archived_project_refuses_its_list_and_changes_and_holds_nobody",
            "resources::service_accounts::tests::rulings_5_13_and_5_14_nothing_lives_in_an_archived_project",
        ],
    ),
    (
        "5.15",
        &[
            "contract::access::a_key_with_the_scopes_may_do_everything",
            "contract::providers::whatever_is_created_is_answered_with_200",
        ],
    ),
    (
        "5.16",
        &[
            "contract::providers::an_accepted_invite_says_so",
            "resources::invites::tests::an_invitation_is_pending_then_accepted_or_expired",
        ],
    ),
    (
        "5.17",
        &[
            "resources::service_accounts::tests::ruling_5_17_no_role_is_for_accounts_that_are_made_alone",
        ],
    ),
    (
        "5.18",
        &[
            "contract::paging::a_list_runs_in_its_own_order_if_nobody_names_one",
            "contract::paging::a_list_that_may_be_asked_for_no_rows_says_whether_there_are_any",
            "resources::certificates::tests::activation::rulings_5_3_5_18_and_5_23_the_newest_comes_first",
            "resources::spend_alerts::tests::pages_are_read_from_either_side",
        ],
    ),
    (
        "5.19",
        &[
            "resources::audit_logs::tests::an_event_says_what_was_changed_when_where_by_whom_and_from_where",
        ],
    ),
    ("5.20", &["resources::admin_api_keys::tests::keys_of_projects_are_not_among_them"]),
    ("5.21", &["resources::project_groups::tests::a_group_of_a_tenant_is_nowhere"]),
    (
        "5.22",
        &[
            "resources::project_users::tests::roles_are_owner_and_member_only",
            "resources::role_assignments::tests::ladder::the_built_in_roles_of_a_member_are_a_set_whose_mightiest_is_shown",
        ],
    ),
    (
        "5.23",
        &[
            "contract::paging::pages_of_any_size_add_up_to_the_whole_list_in_order",
            "resources::certificates::tests::activation::rulings_5_3_5_18_and_5_23_the_newest_comes_first",
        ],
    ),
    (
        "5.24",
        &[
            "contract::bad_input::an_unknown_member_is_refused_by_name",
            "resources::certificates::tests::upload::ruling_5_24_bodies_are_refused_member_by_member",
        ],
    ),
    (
        "5.25",
        &[
            "resources::audit_logs::tests::an_event_says_what_was_changed_when_where_by_whom_and_from_where",
        ],
    ),
    (
        "5.26",
        &[
            "resources::group_users::tests::a_service_account_of_any_project_stands_where_a_person_may_stand",
            "resources::project_api_keys::tests::a_key_is_made_shown_once_listed_and_deleted",
            "resources::project_users::tests::a_member_is_added_listed_shown_changed_and_removed",
        ],
    ),
    ("15†", &["resources::data_retention::tests::a_change_is_on_record_once"]),
    (
        "26†",
        &[
            "contract::record::nothing_but_who_is_in_a_group_changes_untold",
            "resources::group_users::tests::adding_again_changes_nothing_and_neither_is_on_record",
        ],
    ),
    (
        "28†",
        &[
            "contract::record::nothing_but_who_is_in_a_group_changes_untold",
            "resources::group_users::tests::adding_again_changes_nothing_and_neither_is_on_record",
        ],
    ),
    ("45†", &["resources::data_retention::tests::a_change_is_on_record_once"]),
    ("47†", &["resources::project_groups::tests::coming_and_going_is_on_record_as_assignments"]),
    (
        "49†",
        &[
            "resources::project_groups::tests::a_group_leaves_with_all_its_roles",
            "resources::project_groups::tests::coming_and_going_is_on_record_as_assignments",
        ],
    ),
    (
        "51†",
        &["resources::hosted_tool_permissions::tests::dagger_51_a_change_is_one_of_the_project"],
    ),
    ("53†", &["resources::model_permissions::tests::a_list_is_set_shown_replaced_and_forgotten"]),
    ("54†", &["resources::model_permissions::tests::a_list_is_set_shown_replaced_and_forgotten"]),
    ("64†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("66†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("67†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("69†", &["resources::spend_limits::tests::a_change_is_on_record_once"]),
    ("70†", &["resources::spend_limits::tests::a_change_is_on_record_once"]),
    ("72†", &["contract::audit::payloads_say_what_was_changed"]),
    ("74†", &["resources::project_users::tests::a_role_that_is_set_leaves_custom_ones"]),
    ("75†", &["resources::project_users::tests::a_removal_takes_all_roles_in_the_project"]),
    ("82†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("84†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("85†", &["resources::spend_alerts::tests::a_change_is_on_record_once"]),
    ("87†", &["resources::spend_limits::tests::a_change_is_on_record_once"]),
    ("88†", &["resources::spend_limits::tests::a_change_is_on_record_once"]),
];

/// A test as its source shows it: its path, and the rulings and lines that its comment names.
struct Found {
    path: String,
    labels: BTreeSet<String>,
}

/// Every test below a folder of sources.
fn tests() -> Vec<Found> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let tests_of = |(file, text): &(std::path::PathBuf, String)| {
        let file = file.strip_prefix(&root).expect("it lies below").with_extension("");
        let parts = file.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let parts: Vec<_> = parts.filter(|part| part != "mod").collect();
        tests_in(&parts.join("::"), text)
    };
    files.iter().flat_map(tests_of).collect()
}

/// The tests of one file, each with the comment before it.
fn tests_in(module: &str, text: &str) -> Vec<Found> {
    let (mut found, mut comment, mut is_test) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("///") {
            comment.push_str(words);
        } else if line.starts_with("#[") {
            is_test |= line.ends_with("test]");
        } else {
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            let name = function.and_then(|rest| rest.split('(').next());
            if let Some(name) = name.filter(|_| is_test) {
                let path = format!("{module}::{name}");
                found.push(Found { path, labels: labels(&comment) });
            }
            comment.clear();
            is_test = false;
        }
    }
    found
}

/// The rulings and lines that a comment names: "Ruling 5.1", "Rulings 5.1 and 5.2", "Appendix A, 1† and 2†".
fn labels(comment: &str) -> BTreeSet<String> {
    let is_of_label = |character: char| character.is_ascii_digit() || ".†".contains(character);
    let words = comment.split(|character| !is_of_label(character));
    let words = words.map(|word| word.trim_end_matches('.'));
    let names_rulings = comment.contains("uling");
    let names_lines = comment.contains("Appendix A");
    let is_label = |word: &&str| {
        let ruling = word.strip_prefix("5.").and_then(|number| number.parse::<usize>().ok());
        let line = word.strip_suffix('†').and_then(|number| number.parse::<usize>().ok());
        names_rulings && ruling.is_some() || names_lines && line.is_some()
    };
    words.filter(is_label).map(str::to_owned).collect()
}

#[test]
fn each_ruling_and_each_dagger_of_what_is_built_is_in_the_table() {
    let rulings = (1..=RULINGS).map(|number| format!("5.{number}"));
    let lines = LINES.iter().map(|(line, ..)| (*line).to_owned());
    let lines = lines.filter(|line| line.ends_with('†'));
    let expected: BTreeSet<_> = rulings.chain(lines).collect();
    let table: BTreeSet<_> = TESTS.iter().map(|(label, _)| (*label).to_owned()).collect();
    assert_eq!(table.len(), TESTS.len(), "no label is there twice");
    assert_eq!(table, expected);
    for (label, tests) in TESTS {
        assert!(!tests.is_empty(), "{label} has no test");
    }
}

#[test]
fn each_test_of_the_table_is_there_and_names_its_label() {
    let tests = tests();
    let names = |label: &str, path: &str| {
        tests.iter().any(|test| test.path == path && test.labels.contains(label))
    };
    for (label, paths) in TESTS {
        for path in *paths {
            assert!(names(label, path), "no test {path} says that it asserts {label}");
        }
    }
}

#[test]
fn a_test_is_known_by_its_comment() {
    let text = "/// Rulings 5.3 and 5.13: x. Appendix A, 64† and 70†.\n#[tokio::test]\nasync fn it() {\n}\n\n/// Ruling 5.9.\nfn helper() {}\n/// 5.1 of something else, 7†.\n#[test]\nfn other() {}\n";
    let found = tests_in("a::b", text);
    let paths: Vec<_> = found.iter().map(|test| test.path.as_str()).collect();
    assert_eq!(paths, ["a::b::it", "a::b::other"]);
    assert_eq!(found[0].labels, ["5.13", "5.3", "64†", "70†"].map(str::to_owned).into());
    assert!(found[1].labels.is_empty());
}
