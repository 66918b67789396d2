//! Filters: what they find, what they refuse, and that nothing makes them panic.
//!
//! `filter_oracle.rs` holds them against an evaluator that shares nothing with them.

#[path = "../src/repeatable.rs"]
mod repeatable;

use nigh::query::filter::{Filter, FilterError, MAX_DEPTH, MAX_FILTER_BYTES, MAX_PROPERTIES};
use proptest::prelude::*;
use repeatable::repeatable;
use std::time::{Duration, Instant};

const CAFE: &str = r#"{"name":"Café d'Or","city":"Paris","price":12.5,"seats":48,"open":true,"phone":null,
    "address":{"street":"rue \"de\" l\u00e9t\u00e9","geo":{"floor":3}},"a.b":"flat","a":{"b":"deep","c":"only deep"},
    "tags":["x"],"opening hours":{"mon":"8-18"},"in":"keyword","\ud83d\ude00":"smile","n":9007199254740993}"#;

#[test]
fn what_a_filter_finds() {
    for found in [
        "name = 'Café d''Or'",
        "city = 'Paris' and PRICE IS NULL",
        "price < 13 AND seats >= 48 AND open = TRUE",
        "12.5 = price and 100 > seats",
        "city = 'x' OR city = 'y' OR NOT city = 'z'",
        "NOT city = 'x' AND city = 'Paris'",
        "city = 'Paris' OR city = 'x' AND city = 'y'",
        "NOT (city = 'x' OR open = FALSE)",
        "not not open = true",
        "city IN ('Rome', 'Paris') AND city NOT IN ('Oslo')",
        "price BETWEEN 12.5 AND 12.5 AND seats NOT BETWEEN 1 AND 47",
        "city BETWEEN 'Oslo' AND 'Rome'",
        "name LIKE 'Caf_%' AND name NOT LIKE '%x%'",
        r"name NOT LIKE 'Caf\_%'",
        "phone IS NULL AND nowhere IS NULL AND name IS NOT NULL AND tags IS NOT NULL",
        "address.street = 'rue \"de\" lété'",
        "address.geo.floor = 3",
        "a.b = 'flat' AND \"a.b\" = 'flat' AND a.c = 'only deep' AND \"a.c\" IS NULL",
        "\"opening hours\".mon = '8-18'",
        "\"in\" = 'keyword' AND \"name\" LIKE '%'",
        "\"😀\" = 'smile'",
        "n = 9007199254740993 AND n > 9007199254740992 AND n > 9007199254740992.0 AND n <> 9007199254740992",
        "seats = 48.0 AND seats = 4.8e1 AND seats = +48 AND price > .5 AND price > -1",
        "CASEI(city) = casei('PARIS') AND CASEI(name) LIKE 'CAFÉ%' AND CASEI(city) IN ('paris') AND CASEI(seats) = 48",
        "id = 'cafe-1'",
        "TRUE",
        "FALSE OR (1 = 1 AND 'a' < 'b')",
        "city = 'Paris' OR phone = 1",
        "\tcity\n=\r\n'Paris' ",
    ] {
        let filter = Filter::parse(found).unwrap_or_else(|error| panic!("{found}: {error}"));
        assert!(filter.matches("cafe-1", CAFE), "{found}");
        assert_eq!(filter.clone().text(), found);
    }
}

#[test]
fn what_is_unknown_or_false_is_not_found() {
    for missed in [
        "phone = 1",
        "NOT phone = 1",
        "phone <> 1",
        "nowhere IN (1, 2)",
        "nowhere NOT IN (1, 2)",
        "city NOT IN ('x', 1)",
        "nowhere NOT LIKE '%'",
        "nowhere NOT BETWEEN 1 AND 2",
        "city = 1 OR NOT city = 1",
        "city <> 1",
        "open = 1",
        "price = '12.5'",
        "tags = 'x' OR tags <> 'x'",
        "seats LIKE '4%' OR seats NOT LIKE '4%'",
        "city = 'paris'",
        "NOT (city = 'Paris' OR phone = 1)",
        "city = 'Paris' AND phone = 1",
        "FALSE",
        "NOT TRUE",
        "1 = 'a' OR NOT 1 = 'a'",
        "address = 'x' OR address IS NULL",
        "address.geo.floor.x IS NOT NULL",
        "id IS NULL",
    ] {
        assert!(!Filter::parse(missed).unwrap().matches("cafe-1", CAFE), "{missed}");
    }
}

#[test]
fn a_point_without_properties_is_only_its_id() {
    for none in ["", "{}", "null", "not json", "{\"a", "[1]"] {
        assert!(Filter::parse("a IS NULL AND id = 'x'").unwrap().matches("x", none), "{none}");
        assert!(!Filter::parse("a = 1").unwrap().matches("x", none), "{none}");
    }
}

#[test]
fn a_property_named_id_stands_before_the_id() {
    assert!(Filter::parse("id = 7").unwrap().matches("x", r#"{"id":7}"#));
    assert!(Filter::parse("id IS NULL").unwrap().matches("x", r#"{"id":null}"#));
    assert!(Filter::parse("thing.id IS NULL").unwrap().matches("x", r#"{"thing":{}}"#));
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    assert!(Filter::parse("a = 2").unwrap().matches("x", r#"{"a":1,"\u0061":2}"#));
    assert!(Filter::parse("a.b = 2").unwrap().matches("x", r#"{"a":{"b":1},"a":{"b":1,"b":2}}"#));
    assert!(Filter::parse("a.b IS NULL").unwrap().matches("x", r#"{"a":{"b":1},"a":{}}"#));
}

#[test]
fn half_a_surrogate_pair_is_not_text() {
    assert!(!Filter::parse("a = 'x' OR a <> 'x' OR a IS NULL").unwrap().matches("x", r#"{"a":"\ud83d"}"#));
    assert!(Filter::parse("b = 1").unwrap().matches("x", r#"{"\ud83d":2,"b":1}"#));
}

#[test]
fn folding_case_does_not_depend_on_where_a_letter_stands() {
    let filter = Filter::parse("CASEI(a) LIKE 'οδοσ%' AND CASEI(b) = 'STRASSE'").unwrap();
    assert!(filter.matches("x", r#"{"a":"ΟΔΟΣ","b":"Straße"}"#));
}

#[test]
fn a_refusal_says_where_what_and_what_would_be_right() {
    for (text, message) in [
        ("", "character 1: found the end; a condition is missing"),
        ("  ", "character 3: found the end; a condition is missing"),
        ("price", "character 6: found the end; a comparison is missing behind the name"),
        ("price <", "character 8: found the end; a value is missing"),
        ("price < 20 20", "character 12: found 20; AND, OR or the end"),
        ("city = Paris", "character 8: found Paris; text goes in single quotes, as in 'Paris'"),
        ("city = \"Paris\"", "character 8: found \"Paris\"; text goes in single quotes"),
        ("city = 'Paris", "character 8: found 'Paris; the closing quote is missing"),
        ("\"city = 1", "character 1: found \"city = 1; the closing double quote"),
        ("été == 1", "character 5: found ==; write = for equal"),
        ("a != 1", "found !=; write = for equal, <> for not equal"),
        ("a = 1 && b = 2", "found &&; write = for equal, <> for not equal, AND, OR"),
        ("a = ‘x’", "character 5: found ‘; quotes are the plain ones"),
        ("a = 1 + 2", "found +; there is no arithmetic"),
        ("a = [1]", "found [; a filter is made of names"),
        ("a = NULL", "found NULL; nothing compares with NULL; write IS NULL"),
        ("a IS 5", "found 5; IS NULL or IS NOT NULL"),
        ("a NOT 5", "found 5; IN, BETWEEN or LIKE"),
        ("a IN 1", "found 1; the values behind IN go in parentheses"),
        ("a IN ()", "found ); a value is missing"),
        ("a IN (1 2)", "found 2; a comma or a closing parenthesis"),
        ("a BETWEEN 1, 2", "found ,; AND and the upper bound are missing"),
        ("a LIKE 5", "found 5; the pattern behind LIKE is text"),
        (r"a LIKE 'C:\temp'", r"found 'C:\temp'; a backslash in a pattern stands before"),
        ("(a = 1", "found the end; AND, OR or a closing parenthesis"),
        ("a = 1)", "character 6: found ); AND, OR or the end"),
        ("AND a = 1", "found AND; a name or value is missing; a property named like a keyword"),
        ("in = 1", "found in; a name or value is missing"),
        ("5 IN (5)", "found IN; a comparison is missing behind the value"),
        ("a.1 = 1", "found 1; the name must go on behind its dot"),
        ("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "character 1: found a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a; a name has"),
        ("a. = 1", "the name must go on behind its dot"),
        ("5abc = 1", "character 1: found 5abc; this is no number"),
        ("a = 1.2.3", "found 1.2.3; this is no number"),
        ("a = 1e", "found 1e; this is no number"),
        ("a = 1e999", "found 1e999; the number is too large"),
        ("S_INTERSECTS(geometry, POINT(1 2))", "found S_INTERSECTS; CASEI is the only function"),
        ("a = DATE('2020-01-01')", "found DATE; CASEI is the only function"),
        ("CASEI(5) = 5", "found 5; CASEI takes a property or text"),
        ("CASEI(a = 5", "found =; a closing parenthesis"),
    ] {
        let refusal = Filter::parse(text).expect_err(text).to_string();
        assert!(refusal.starts_with("filter, character ") && refusal.contains(message), "{text}: {refusal}");
    }
}

#[test]
fn a_refusal_repeats_only_the_beginning_of_what_is_long() {
    let refusal = Filter::parse(&format!("a = {}", "é".repeat(5000))).unwrap_err().to_string();
    assert!(refusal.len() < 300 && refusal.contains("é…"), "{refusal}");
}

#[test]
fn limits_are_kept_at_the_door() {
    let deep = |depth| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&deep(MAX_DEPTH)).is_ok());
    assert_eq!(Filter::parse(&deep(MAX_DEPTH + 1)).unwrap_err(), FilterError::TooDeep { position: MAX_DEPTH + 1 });

    let long = format!("a = '{}'", "x".repeat(MAX_FILTER_BYTES - 6));
    assert!(Filter::parse(&long).is_ok());
    let bytes = MAX_FILTER_BYTES + 1;
    assert_eq!(Filter::parse(&format!("{long} ")).unwrap_err(), FilterError::TooLong { bytes });

    let names = |count| (0..count).map(|i| format!("p{i} = {i}")).collect::<Vec<_>>().join(" OR ");
    assert!(Filter::parse(&names(MAX_PROPERTIES)).unwrap().matches("", r#"{"p63":63}"#));
    let position = names(MAX_PROPERTIES).len() + " OR ".len() + 1;
    assert_eq!(Filter::parse(&names(MAX_PROPERTIES + 1)).unwrap_err(), FilterError::TooManyProperties { position });
}

#[test]
fn the_longest_filters_are_read_and_asked_in_little_time() {
    let nested = format!("{{\"a\":{}2{}}}", "[".repeat(30_000), "]".repeat(30_000));
    for text in [
        "(".repeat(MAX_FILTER_BYTES),
        "NOT ".repeat(MAX_FILTER_BYTES / 4 - 1) + "TRUE",
        "a=1 OR ".repeat(MAX_FILTER_BYTES / 7 - 1) + "a=1",
        format!("a IN (1{})", ",1".repeat(MAX_FILTER_BYTES / 2 - 8)),
        "'".repeat(MAX_FILTER_BYTES),
        "a.".repeat(MAX_FILTER_BYTES / 2),
        format!("a{} IS NULL", ".a".repeat(15)),
        "9".repeat(MAX_FILTER_BYTES),
    ] {
        let started = Instant::now();
        if let Ok(filter) = Filter::parse(&text) {
            filter.matches("x", &nested);
            filter.matches("x", &format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)));
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{} {:?}", &text[..20], started.elapsed());
    }
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let properties = format!("{{\"a\":\"{}\"}}", "a".repeat(60_000));
    for text in [
        format!("a LIKE '%{}b%'", "a".repeat(16_000)),
        format!("a LIKE '%{}_b%'", "a".repeat(62)),
        format!("a LIKE '{}b'", "%a".repeat(8000)),
        format!("a LIKE '{}b'", "%a_".repeat(5000)),
        format!("a LIKE '%{}b'", "_".repeat(16_000)),
        vec![format!("a LIKE '%{}_b%'", "a".repeat(60)); 200].join(" OR "),
    ] {
        let filter = Filter::parse(&text).unwrap();
        let started = Instant::now();
        assert!(!filter.matches("x", &properties), "{}", &text[..20]);
        assert!(started.elapsed() < Duration::from_secs(1), "{} {:?}", &text[..20], started.elapsed());
    }
}

#[test]
fn a_filter_may_be_asked_from_many_threads() {
    fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Filter>();
}

proptest! {
    #![proptest_config(repeatable(6000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), other in "[ '\"()=<>a-e0-9.%\\\\,_!+é-]{0,40}") {
        for text in [text, other] {
            if let Ok(filter) = Filter::parse(&text) {
                filter.matches("id", CAFE);
            }
        }
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in prop::collection::vec(prop::sample::select(&[
        "a", "b.c", "\"q\"", "'t'", "1", "-2.5", "(", ")", ",", "=", "<>", "<", ">=", "AND", "OR", "NOT", "IN", "LIKE",
        "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "CASEI", "CASEI(a)", "a = 1", "a IN (1)", "'a%'", "é", "'", "\"", ".",
    ][..]), 0..14)) {
        match Filter::parse(&words.join(" ")) {
            Ok(filter) => { filter.matches("id", CAFE); }
            Err(refusal) => prop_assert!(refusal.to_string().starts_with("filter, character ")),
        }
    }

    #[test]
    fn no_properties_make_a_filter_panic(
        text in any::<String>(), at in any::<prop::sample::Index>(),
        put in prop::sample::select(&["", "\"", "\\", "{", "}", "[", "]", ":", ",", "é", "-", "1e"][..]),
    ) {
        let filter = Filter::parse(
            "a = 1 OR a.b.c LIKE '%x_y%' OR CASEI(é) < 'b' OR \"opening hours\".mon IS NULL OR n > 1 OR id > 'a'",
        ).unwrap();
        filter.matches(&text, &text);
        let at = (0..=at.index(CAFE.len() + 1)).rev().find(|at| CAFE.is_char_boundary(*at)).unwrap();
        filter.matches("id", &CAFE[..at]);
        filter.matches("id", &format!("{}{put}{}", &CAFE[..at], &CAFE[at..]));
    }
}
