//! Files of features, whole and broken.

use super::*;

fn read(text: &str) -> Vec<Result<Incoming, Rejected>> {
    Features::new(text.as_bytes()).map(Result::unwrap).collect()
}

/// Each row as its id, or as line and code.
fn told(text: &str) -> Vec<Result<String, (u64, &'static str)>> {
    let id = |item: Incoming| item.id.map(|id| id.as_str().to_owned()).unwrap_or_default();
    read(text).into_iter().map(|row| row.map(id).map_err(|bad| (bad.line, bad.code))).collect()
}

fn feature(id: &str) -> String {
    format!(
        r#"{{"type":"Feature","id":"{id}","properties":{{"q":"]}}\"{{["}},"geometry":{{"type":"Point","coordinates":[2,1]}}}}"#
    )
}

fn fine(id: &str) -> Result<String, (u64, &'static str)> {
    Ok(id.to_owned())
}

#[test]
fn features_stand_in_a_collection_in_a_list_or_alone() {
    let (a, b) = (feature("a"), feature("b"));
    for text in [
        format!(r#"{{"type":"FeatureCollection","features":[{a},{b}]}}"#),
        format!(r#"{{"features":[{a},{b}],"type":"FeatureCollection","bbox":[1,2,3,4],"x":{{"features":[1]}}}}"#),
        format!(r#"{{"crs":{{"a":["\"]",{{}}]}},"n":-1.5e3,"t":true,"s":"}}\\","features":[{a},{b}]}}"#),
        format!("\u{feff} [ {a} ,\n{b}\r\n]\n\n"),
        format!(r#"{{"features":[{a}],"features":[{b}]}}"#),
    ] {
        assert_eq!(told(&text), [fine("a"), fine("b")], "{text}");
    }
    assert_eq!(told(&format!("\n{a}\n")), [fine("a")]);
    assert_eq!(told(r#"[{"id":"plain","lat":1,"lon":2}]"#), [fine("plain")]);
    for text in ["[]", r#"{"type":"FeatureCollection","features":[ ]}"#] {
        assert_eq!(told(text), []);
    }
}

#[test]
fn a_feature_that_is_none_is_refused_alone_with_its_line() {
    let text = format!(
        "{{\"type\": \"FeatureCollection\",\n\"features\": [\n{},\n{{\n\"type\":\"Feature\",\"geometry\":null}},\nnull,7,\n\"x\",[1],\n\n  {{\"type\":\"Feature\",,}},\n{}\n]}}",
        feature("a"),
        feature("b")
    );
    let rows = told(&text);
    let bad = |line| Err((line, "bad-json"));
    assert_eq!(rows, [fine("a"), Err((4, "no-point")), bad(6), bad(6), bad(7), bad(7), bad(9), fine("b")]);
    assert_eq!(told("\n\n{\"type\":\n\"Polygon\"}"), [Err((3, "no-feature"))]);
    assert_eq!(told("{}"), [Err((1, "missing-latitude"))]);
}

#[test]
fn features_in_what_is_no_collection_are_refused() {
    let a = feature("a");
    for kind in ["Topology", "Feature Collection", "featurecollection", "Point", "", &"x".repeat(200)] {
        let before = read(&format!("{{\"type\":\"{kind}\",\n\"features\":[{a}]}}"));
        assert_eq!(before.len(), 1, "{kind:?}: {before:?}");
        let refused = before[0].as_ref().unwrap_err();
        assert_eq!((refused.line, refused.code), (2, "no-feature"), "{kind:?}");
        assert!(refused.hint.as_ref().unwrap().contains("FeatureCollection"), "{refused:?}");
        // Where it is said too late, what was read is read, and what it was is told.
        assert_eq!(told(&format!("{{\"features\":[{a}],\n\"type\":\"{kind}\"}}")), [fine("a"), Err((2, "no-feature"))]);
        let huge = "x".repeat(2 << 20);
        let behind = format!("{{\"note\":\"{huge}\",\"type\":\"{kind}\",\"features\":[{a}]}}");
        assert_eq!(told(&behind), [Err((1, "no-feature"))]);
    }
    assert_eq!(told(&format!(r#"{{"type":7,"features":[{a}]}}"#)), [fine("a")], "what says nothing is taken as before");
    let own = r#"{"type":"Feature","id":"a","features":[1,2],"geometry":{"type":"Point","coordinates":[2,1]},"properties":{}}"#;
    assert_eq!(told(own), [fine("a")], "a Feature may have members of any name");
}

#[test]
fn where_the_file_itself_is_broken_the_rest_is_said_to_be_unread() {
    let a = feature("a");
    let stop = |line| Err((line, "rest-unread"));
    for (text, rows) in [
        (String::new(), vec![stop(1)]),
        ("\n\n lat,lon\n".to_owned(), vec![stop(3)]),
        (format!("[{a},\n]"), vec![fine("a"), stop(2)]),
        (format!("[{a}\n{a}]"), vec![fine("a"), stop(2)]),
        (format!("[{a},\n"), vec![fine("a"), stop(2)]),
        (format!("[{a},\n{{\"type\":\n"), vec![fine("a"), stop(3)]),
        (format!("[{a}]\n,"), vec![fine("a"), stop(2)]),
        (format!("{{\"features\":[{a}],\n}}"), vec![fine("a")]),
        (format!("{{\"features\":[{a}]\n7}}"), vec![fine("a"), stop(2)]),
        (format!("{{\"features\":[{a}]"), vec![fine("a"), stop(1)]),
        ("{\"features\":\nnull}".to_owned(), vec![stop(2)]),
        ("{\"features\"\n[]}".to_owned(), vec![stop(2)]),
        ("{\n7:[]}".to_owned(), vec![stop(2)]),
        ("{\"a\":\n}".to_owned(), vec![stop(2)]),
        ("{\"a".to_owned(), vec![stop(1)]),
        ("[\n\u{feff}{}]".to_owned(), vec![stop(2)]),
    ] {
        assert_eq!(told(&text), rows, "{text}");
    }
}

#[test]
fn a_huge_feature_is_refused_and_memory_stays_flat() {
    let huge = "x".repeat(5 << 20);
    let text = format!(
        "{{\"note\":\"{huge}\",\"features\":[{},\n{{\"a\":\"{huge}\"}},\n{}],\"z\":\"{huge}\"}}",
        feature("a"),
        feature("b")
    );
    assert_eq!(told(&text), [fine("a"), Err((2, "too-long")), fine("b")]);
    let mut features = Features::new(text.as_bytes());
    while features.next().is_some() {
        assert!(features.passed.capacity() < 4 * ROW_BYTES_MAX, "{}", features.passed.capacity());
    }
    assert_eq!(told(&format!("{{\"a\":\"{huge}\"}}")), [Err((1, "too-long"))]);
    assert_eq!(told(&format!("[{}", "[".repeat(5 << 20))), [Err((1, "rest-unread"))]);
}

#[test]
fn a_source_that_fails_says_so_once() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let text = format!("[{},", feature("a"));
    let mut features = Features::new(BufReader::new(io::Read::chain(text.as_bytes(), Broken)));
    assert!(features.next().unwrap().unwrap().is_ok());
    assert_eq!(features.next().unwrap().unwrap_err().to_string(), "gone");
    assert!(features.next().is_none());
}
