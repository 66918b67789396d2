//! The house keeps its own rules: floors, names, sizes, and documents that tell the truth.
//!
//! Each rule is a function from a file to its complaints, so that beside the test that holds it over the repository stands
//! one that shows it can fail. What surprises: a rule is cheaper here than in a review, and it never tires.

#[path = "house_rules/documents.rs"]
mod documents;
#[path = "house_rules/source.rs"]
mod source;

use source::{File, code_only, line_at, matching, rust_files};

/// The floors, lowest first. Code uses its own floor and those below; floors of one height do not look at each other.
const FLOORS: &[(&str, u8)] = &[
    ("geometry", 0),
    ("generate", 1),
    ("index", 2),
    ("collection", 3),
    ("query", 4),
    ("log", 4),
    ("engine", 5),
    ("measure", 5),
    ("format", 6),
    ("http", 7),
    ("cluster", 7),
    ("cli", 8),
];

/// Words of a higher floor that a lower one has never heard of: floors, the words, and whose words they are.
const NEVER_HEARD_OF: &[(&[&str], &[&str], &str)] = &[
    (&["geometry", "generate"], &["id", "ids", "slot", "slots"], "numbers of points belong to index and above"),
    (
        &["geometry", "generate", "index"],
        &["serde", "serde_json", "csv", "user_id", "Id"],
        "ids and texts live above index",
    ),
    (
        &["geometry", "generate", "index", "collection", "query", "log", "engine"],
        &["actix_web", "http", "status_code", "StatusCode", "HttpResponse"],
        "only the doors know HTTP",
    ),
];

/// Longest file and function, in lines, with everything in them.
const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 80;

/// Longer ones, with the reason: (path, or path and function, lines, reason). This list may only shrink.
const LONGER: &[(&str, usize, &str)] = &[];

fn assert_kept(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn everywhere(rule: impl Fn(&File) -> Vec<String>) -> Vec<String> {
    rust_files().iter().flat_map(rule).collect()
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// Holds a rule against a file that keeps it and one that breaks it.
fn assert_can_fail(rule: impl Fn(&File) -> Vec<String>, path: &str, fine: &str, broken: &str, complaint: &str) {
    assert_kept(rule(&file(path, fine)));
    let complaints = rule(&file(path, broken));
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains(complaint), "{complaints:?}");
}

// ---- floors ----

/// The modules from `src` down to this file: `src/geometry/metric/haversine.rs` is geometry, metric, haversine.
fn module_path(path: &str) -> Option<Vec<&str>> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    Some(inside.split('/').filter(|name| *name != "mod").collect())
}

/// The floor a file stands on. The design texts, the list of modules and what only tests use stand outside the house.
fn floor_of(path: &str) -> Option<&str> {
    match module_path(path)?.first().copied()? {
        "lib" | "design" | "repeatable" => None,
        "main" => Some("cli"),
        floor => Some(floor),
    }
}

fn height(floor: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == floor).map(|(_, height)| *height)
}

/// Every name that follows the top of the crate, with its byte: `crate::x`, `nigh::x`, `crate::{x, y}`, `super::super::x`.
fn names_from_the_top(path: &str, code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for top in ["crate::", "nigh::"] {
        for (at, _) in code.match_indices(top) {
            if !code[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '$') {
                found.extend(names_at(code, at + top.len()));
            }
        }
    }
    let depth = module_path(path).map_or(0, |modules| modules.len());
    let climb = "super::".repeat(depth);
    if depth > 0 {
        found.extend(code.match_indices(&climb).flat_map(|(at, _)| names_at(code, at + climb.len())));
    }
    found
}

/// The name here, or the first name of every member of the braces here.
fn names_at(code: &str, at: usize) -> Vec<(usize, String)> {
    let word = |at: usize| {
        let length = code[at..].find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(code.len() - at);
        (at, code[at..at + length].to_owned())
    };
    if !code[at..].starts_with('{') {
        return vec![word(at)];
    }
    let mut names = Vec::new();
    let mut depth = 0;
    for (offset, byte) in code[at..matching(code, at)].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if (byte == b'{' || byte == b',') && depth == 1 {
            let gap = code[at + offset + 1..].len() - code[at + offset + 1..].trim_start().len();
            names.push(word(at + offset + 1 + gap));
        }
    }
    names
}

fn looks_up(file: &File) -> Vec<String> {
    let Some(floor) = floor_of(&file.path) else { return Vec::new() };
    let Some(own) = height(floor) else {
        return vec![format!("{}: {floor} is on no floor; give it one in FLOORS", file.path)];
    };
    let code = code_only(&file.text);
    names_from_the_top(&file.path, &code)
        .into_iter()
        .filter(|(_, name)| name != floor && height(name).is_some_and(|other| other >= own))
        .map(|(at, name)| format!("{}:{}: {floor} must not use {name}", file.path, line_at(&code, at)))
        .collect()
}

#[test]
fn no_floor_uses_one_above_it() {
    assert_kept(everywhere(looks_up));
}

#[test]
fn looking_up_is_noticed() {
    let fine =
        "use crate::geometry::Point;\nuse crate::index::slots;\n// use crate::http::x;\nlet a = \"crate::http\";";
    for (upward, complaint) in [
        ("use crate::geometry::Point;\nuse crate::query::Query;", ":2: index must not use query"),
        ("use crate::{geometry::{Point, Rect}, engine::Engine};", ":1: index must not use engine"),
        ("fn f() {\n let x = crate::collection::new();\n}", ":2: index must not use collection"),
        ("use super::super::http::serve;", ":1: index must not use http"),
    ] {
        assert_can_fail(looks_up, "src/index/tree.rs", fine, upward, complaint);
    }
    assert_can_fail(
        looks_up,
        "src/log/mod.rs",
        "use crate::collection::x;",
        "use crate::query::x;",
        "log must not use query",
    );
    assert_can_fail(
        looks_up,
        "src/http/a.rs",
        "use crate::engine::x;",
        "use crate::cluster::x;",
        "must not use cluster",
    );
    assert_eq!(looks_up(&file("src/main.rs", "use nigh::http::x;")), [""; 0]);
    assert_eq!(looks_up(&file("src/attic.rs", "")), ["src/attic.rs: attic is on no floor; give it one in FLOORS"]);
}

// ---- words ----

fn words_from_above(file: &File) -> Vec<String> {
    let Some(floor) = floor_of(&file.path) else { return Vec::new() };
    let code = code_only(&file.text);
    let mut complaints = Vec::new();
    for (floors, words, reason) in NEVER_HEARD_OF {
        if !floors.contains(&floor) {
            continue;
        }
        for (at, word) in words_of(&code) {
            if words.contains(&word) {
                complaints.push(format!("{}:{}: {floor} says {word}: {reason}", file.path, line_at(&code, at)));
            }
        }
    }
    complaints
}

/// Every name in the code, with its byte.
fn words_of(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = code.as_ptr() as usize;
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - start, word))
}

#[test]
fn lower_floors_do_not_speak_of_higher_ones() {
    assert_kept(everywhere(words_from_above));
}

#[test]
fn a_word_from_above_is_noticed() {
    let fine = "// an id\nlet kind = \"http\"; let valid = ids_like; ";
    assert_can_fail(words_from_above, "src/geometry/a.rs", fine, "struct A {\n    id: u32,\n}", ":2: geometry says id");
    assert_can_fail(words_from_above, "src/query/a.rs", fine, "use actix_web::web;", "only the doors know HTTP");
}

// ---- what must not stand anywhere ----

fn unfinished(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let forbidden = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
    let found = forbidden.iter().flat_map(|word| code.match_indices(word));
    found
        .filter(|(at, _)| !code[..*at].ends_with(|last: char| last.is_alphanumeric() || last == '_'))
        .map(|(at, word)| format!("{}:{}: {word} is not finished work", file.path, line_at(&code, at)))
        .collect()
}

#[test]
fn nothing_is_left_unfinished() {
    assert_kept(everywhere(unfinished));
}

#[test]
fn unfinished_work_is_noticed() {
    for broken in ["fn f() { todo!() }", "fn f() { dbg!(1); }", "#[test]\n#[ignore = \"slow\"]\nfn t() {}"] {
        assert_can_fail(unfinished, "src/a.rs", "// todo!\nlet a = \"dbg!(x)\";", broken, "is not finished work");
    }
}

/// `matches!(…);` on its own is a value thrown away, though it reads like an assertion.
fn pretended_assertions(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let found = code.match_indices("matches!(").filter(|(at, found)| {
        let begins = code[..*at].trim_end().ends_with([';', '{', '}']);
        let end = matching(&code, at + found.len() - 1);
        begins && code[end..].trim_start().starts_with(';')
    });
    found
        .map(|(at, _)| format!("{}:{}: this asserts nothing; wrap it in assert!", file.path, line_at(&code, at)))
        .collect()
}

#[test]
fn no_match_poses_as_an_assertion() {
    assert_kept(everywhere(pretended_assertions));
}

#[test]
fn a_match_posing_as_an_assertion_is_noticed() {
    let fine = "fn f() -> bool { assert!(matches!(a, B)); let c = matches!(a, D); matches!(a, E(_)) }";
    let broken = "fn f() {\n    g();\n    matches!(a, B { c: (1, _) });\n}";
    assert_can_fail(pretended_assertions, "src/a.rs", fine, broken, ":3: this asserts nothing");
}

/// Cases drawn anew in every run fail when nothing has changed; `repeatable` draws the same ones.
fn cases_drawn_anew(file: &File) -> Vec<String> {
    let code = code_only(&file.text);
    let begins = |text: &str| text.trim_start().strip_prefix('{').map(|inside| inside.trim_start().to_owned());
    let found = code.match_indices("proptest!").filter_map(|(at, word)| Some((at, begins(&code[at + word.len()..])?)));
    found
        .filter(|(_, inside)| !inside.starts_with("#![proptest_config(repeatable("))
        .map(|(at, _)| {
            format!("{}:{}: these cases are others in every run; take repeatable", file.path, line_at(&code, at))
        })
        .collect()
}

#[test]
fn random_cases_are_the_same_in_every_run() {
    assert_kept(everywhere(cases_drawn_anew));
}

#[test]
fn cases_drawn_anew_are_noticed() {
    let fine = "proptest! {\n    #![proptest_config(repeatable(9))]\n    #[test]\n    fn f(a: u8) {}\n}";
    for broken in ["proptest! {\n fn f(a: u8) {}\n}", "proptest! { #![proptest_config(Config::with_cases(9))] }"] {
        assert_can_fail(cases_drawn_anew, "src/a.rs", fine, broken, ":1: these cases are others in every run");
    }
}

// ---- sizes ----

fn allowed(name: &str, usual: usize) -> usize {
    LONGER.iter().find(|(longer, _, _)| *longer == name).map_or(usual, |(_, lines, _)| *lines)
}

/// Every function with its number of lines.
fn functions(file: &File) -> Vec<(String, usize)> {
    let code = code_only(&file.text);
    let words: Vec<_> = words_of(&code).collect();
    let mut found = Vec::new();
    for pair in words.windows(2).filter(|pair| pair[0].1 == "fn") {
        let (at, name) = pair[1];
        // A body, or the end of a declaration without one, or of a function type.
        let Some(open) = code[at..].find(['{', ';']).map(|offset| at + offset) else { continue };
        if code[open..].starts_with('{') {
            let lines = line_at(&code, matching(&code, open)) - line_at(&code, at) + 1;
            found.push((format!("{} {name}", file.path), lines));
        }
    }
    found
}

fn too_long(file: &File) -> Vec<String> {
    let whole = (file.path.clone(), file.text.lines().count(), LONGEST_FILE);
    let parts = functions(file).into_iter().map(|(name, lines)| (name, lines, LONGEST_FUNCTION));
    std::iter::once(whole)
        .chain(parts)
        .filter(|(name, lines, usual)| *lines > allowed(name, *usual))
        .map(|(name, lines, usual)| format!("{name}: {lines} lines; at {usual}, ask whether two ideas live there"))
        .collect()
}

#[test]
fn files_and_functions_stay_short() {
    assert_kept(everywhere(too_long));
}

#[test]
fn the_list_of_longer_ones_only_shrinks() {
    let files = rust_files();
    for (name, lines, _) in LONGER {
        let longest = files
            .iter()
            .flat_map(|file| functions(file).into_iter().chain([(file.path.clone(), file.text.lines().count())]))
            .filter(|(found, _)| found == name)
            .map(|(_, lines)| lines)
            .max();
        assert_eq!(longest, Some(*lines), "{name}: write the present number, or take it off the list");
    }
}

#[test]
fn a_long_file_and_a_long_function_are_noticed() {
    let fine = "fn f() {\n}\n";
    let long_function = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(LONGEST_FUNCTION));
    assert_can_fail(too_long, "src/a.rs", fine, &long_function, "src/a.rs f: 82 lines");
    assert_can_fail(too_long, "src/a.rs", fine, &"// a\n".repeat(LONGEST_FILE + 1), "src/a.rs: 501 lines");
}
