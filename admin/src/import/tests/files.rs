//! Files that cannot be imported: what is said about each, and of which line.

use super::{HEADER, check};
use crate::testing::Api;

/// A file, the line at fault, and a part of what is said.
fn bad_files() -> Vec<(Vec<u8>, u64, &'static str)> {
    let utf_16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let text = HEADER.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(text).collect::<Vec<u8>>()
    };
    let long = |length: usize| "x".repeat(length);
    let joined = |before: &str, middle: &[u8], after: &str| {
        [HEADER.as_bytes(), before.as_bytes(), middle, after.as_bytes()].concat()
    };
    let mut files = vec![
        (utf_16(b"\xFF\xFE", u16::to_le_bytes), 1, "UTF-16"),
        (utf_16(b"\xFE\xFF", u16::to_be_bytes), 1, "UTF-16"),
        (utf_16(b"", u16::to_le_bytes), 1, "UTF-16"),
        (b"PK\x03\x04\x14\x00".to_vec(), 1, "workbook"),
        (joined("a@x.y,", b"J\xF6rg", ",reader,,\n"), 2, "not UTF-8"),
        (joined("a@x.y,", b"a\0b", ",reader,,\n"), 2, "control character"),
        (
            joined("a@x.y,,reader,,\n", "\u{feff}".as_bytes(), HEADER),
            3,
            "byte order mark in the middle",
        ),
        (
            joined("", "\"a@x.y\n".as_bytes(), &"b@x.y,,reader,,\n".repeat(70_000)),
            2,
            "longer than 1 MiB",
        ),
        (
            joined("", format!("a@x.y,{},reader,,\n", long(1 << 20)).as_bytes(), ""),
            2,
            "longer than 1 MiB",
        ),
        (
            joined("", format!("a@x.y,{},reader,,\n", long(1_000_000)).as_bytes(), ""),
            2,
            "1000000 characters",
        ),
        (long(1 << 21).into_bytes(), 1, "longer than 1 MiB"),
    ];
    files.extend(bad_texts().into_iter().map(|(text, line, said)| (text.into_bytes(), line, said)));
    files
}

fn bad_texts() -> Vec<(String, u64, &'static str)> {
    let rows = |rows: &str, line, said| (format!("{HEADER}{rows}"), line, said);
    let file = |text: &str, said| (text.to_owned(), 1, said);
    vec![
        file("", "the file is empty"),
        file("\n\r\n", "the file is empty"),
        file("email,name,role,project\n", "'project_role' is missing"),
        file("email,name,role,project,project_role,email\n", "'email' is there twice"),
        file("email,name,role,project,project_role,team\n", "unknown column 'team'"),
        file("Email,name,role,project,project_role\n", "unknown column 'Email'"),
        file("email;name;role;project;project_role\n", "separated by ';'"),
        file("email\tname\trole\tproject\tproject_role\n", r"separated by '\t'"),
        file("a@x.y,Ann,reader,,\n", "unknown column 'a@x.y'"),
        file("email,name,role,project,project_role\ra@x.y,,reader,,\r", "unknown column"),
        file("\"email,name\n", "never closed"),
        rows("a@x.y,,king,,\n", 2, "must be owner or reader"),
        rows("a@x.y,,Reader,,\n", 2, "must be owner or reader"),
        rows("a@x.y,,,,\n", 2, "must be owner or reader"),
        rows("a@x.y,,reader,P,admin\n", 2, "must be owner or member"),
        rows("a@x.y,,reader,P,\n", 2, "must be owner or member"),
        rows("a@x.y,,reader,,member\n", 2, "must be empty where there is no project"),
        rows(",Ann,reader,,\n", 2, "must not be empty"),
        rows(",,,,\n", 2, "must not be empty"),
        rows("a b@x.y,,reader,,\n", 2, "must not contain spaces"),
        rows(" a@x.y,,reader,,\n", 2, "begins or ends with a space"),
        rows("a@x.y,,reader,\"P \",member\n", 2, "begins or ends with a space"),
        rows("a@b@c,,reader,,\n", 2, "not an e-mail address"),
        rows("nobody,,reader,,\n", 2, "not an e-mail address"),
        rows("@x.y,,reader,,\n", 2, "not an e-mail address"),
        rows("a@,,reader,,\n", 2, "not an e-mail address"),
        rows("a@x.y,\u{1b}[31mred,reader,,\n", 2, "control character"),
        rows("a@x.y,\u{202e}nnA,reader,,\n", 2, "control character"),
        rows("a@x.y,A\rB,reader,,\n", 2, "line break"),
        rows("\n\na@x.y,\"A\nB\",reader,,\nb@x.y,,reader,,\n", 4, "line break"),
        rows("a@x.y,,reader\n", 2, "3 values instead of 5"),
        rows("a@x.y,Countess, Ada,reader,,\n", 2, "6 values instead of 5"),
        rows("a@x.y,,reader,,\r\nb@x.y,\"B,reader,,\r\n", 3, "never closed"),
        rows("a@x.y,\"Ann\"e,reader,,\n", 2, "value 2 has a quote where none may be"),
        rows("a@x.y,Ann \"A\",reader,,\n", 2, "value 2 has a quote where none may be"),
        (format!("{HEADER}{}@x.y,,reader,,\n", "e".repeat(320)), 2, "at most 320"),
        (format!("{HEADER}a@x.y,{},reader,,\n", "n".repeat(256)), 2, "at most 255"),
        (format!("{HEADER}a@x.y,,reader,{},member\n", "p".repeat(256)), 2, "at most 255"),
        rows("a@x.y,,reader,,\nA@X.Y,,owner,,\n", 3, "another role for this person than on line 2"),
        rows(
            "a@x.y,,reader,,\na@x.y,A,reader,,\na@x.y,B,reader,,\n",
            4,
            "another name for this person than on line 3",
        ),
        rows(
            "a@x.y,,reader,P,owner\na@x.y,,reader,P,member\n",
            3,
            "another role in this project than on line 2",
        ),
        rows("a@x.y,,reader,,\nowner@first.example,,reader,,\n", 3, "without an owner"),
    ]
}

#[tokio::test]
async fn each_is_told_with_its_line_and_changes_nothing() {
    let api = Api::new().await;
    let before = api.snapshot().await;
    let files = bad_files();
    assert!(files.len() >= 40, "{}", files.len());
    for (file, line, said) in files {
        let checked = check(&api, &file);
        let start = String::from_utf8_lossy(&file[..file.len().min(200)]).into_owned();
        let fault = checked.faults.first().unwrap_or_else(|| panic!("no fault in {start:?}"));
        assert_eq!(fault.line, line, "{fault} in {start:?}");
        assert!(fault.reason.contains(said), "{fault} lacks {said:?} in {start:?}");
        let text = fault.to_string();
        assert!(!text.contains(char::is_control) && text.len() < 500, "{text}");
        assert!(checked.fault_count > 0 && !checked.bad_lines.is_empty());
    }
    assert_eq!(api.snapshot().await, before);
}

#[tokio::test]
async fn faults_of_the_whole_file_cannot_be_left_out() {
    let api = Api::new().await;
    let is_hopeless = |file: &str| check(&api, file.as_bytes()).is_hopeless;
    assert!(is_hopeless("email\n"));
    assert!(is_hopeless(&format!("{HEADER}a@x.y,\"A,reader,,\n")));
    assert!(is_hopeless(&format!("{HEADER}owner@first.example,,reader,,\n")));
    assert!(!is_hopeless(&format!("{HEADER}a,,reader,,\n")));
}

#[tokio::test]
async fn faults_are_counted_beyond_those_that_are_kept() {
    let api = Api::new().await;
    let checked = check(&api, format!("{HEADER}{}", ",,reader,,\n".repeat(1500)).as_bytes());
    assert_eq!(
        (checked.fault_count, checked.faults.len(), checked.bad_lines.len()),
        (1500, 1000, 1500)
    );
}
