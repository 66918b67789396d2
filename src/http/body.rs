//! A search as a JSON body, brought into the form of a query string.
//!
//! What surprises: no structure is declared for it. Members become parameters, `near` two of them, and whatever is unknown
//! or stands twice is refused just as it would be in a URL. A member that is `null` counts as left out.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Code, Refusal};
use super::params::{Given, Params, is_known, missing};
use crate::format::geojson::{Polygons, read_plain_polygons};

/// What a search may say in its body.
pub const MEMBERS: &[&str] = &[
    "near", "radius", "k", "metric", "within", "edges", "bbox", "geohash", "filter", "fields", "index", "limit",
    "cursor", "explain", "min_seq",
];

/// Adds the members of a search to what the URL said.
pub(super) fn read<'a>(body: &'a [u8], params: &mut Params<'a>) -> Result<(), Refusal> {
    read_known(body, MEMBERS, params)
}

/// The same for a body that may say only some of it.
pub(super) fn read_known<'a>(body: &'a [u8], known: &[&'static str], params: &mut Params<'a>) -> Result<(), Refusal> {
    let members = members(body).map_err(|error| {
        Refusal::new(Code::BadBody, format!("the body is no JSON object: {error}"))
            .hint(r#"as in {"near":{"lat":48.857,"lon":2.352},"radius":"2km"}"#)
    })?;
    let mut seen = Params::default();
    for Member { name, value, area } in members {
        is_known(&name, known).map_err(|refusal| match &*name {
            "lat" | "lon" => refusal.hint(r#"write "near":{"lat":..,"lon":..}"#),
            _ => refusal,
        })?;
        seen.add(name.clone(), Given::Text("".into()))?;
        match (&*name, value) {
            (_, "null") => {}
            // A body that is posted again to the next link: the link knows better how far one has come.
            ("cursor", _) if params.given("cursor").is_some() => {}
            ("near", position) => read_position(position, params)?,
            ("within", text) => {
                params.add(
                    name,
                    area.map_or_else(|| Given::Text(text.into()), |area| Given::Area(Box::new(area), text)),
                )?;
            }
            (_, value) => {
                let given = given(&name, value)?;
                params.add(name, given)?;
            }
        }
    }
    Ok(())
}

/// A member of a body: its name, the text of its value, and the value where it was read already.
struct Member<'a> {
    name: Cow<'a, str>,
    value: &'a str,
    area: Option<Polygons>,
}

/// The members of a body in order. What is not an object with plain members is read, or refused, by the reader of JSON.
fn members(body: &[u8]) -> Result<Vec<Member<'_>>, serde_json::Error> {
    if let Some(members) = plain_members(body) {
        return Ok(members);
    }
    let Members(members) = serde_json::from_slice(body)?;
    Ok(members.into_iter().map(|(name, value)| Member { name, value: value.get(), area: None }).collect())
}

/// The same in one pass over a polygon, which is most of a body that has one.
fn plain_members(body: &[u8]) -> Option<Vec<Member<'_>>> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut members, mut at) = (Vec::with_capacity(USUAL), 0);
    take(body, &mut at, b'{')?;
    loop {
        let name: &str = next(body, &mut at)?;
        take(body, &mut at, b':')?;
        let (value, area) = match name {
            "within" => {
                let (area, length) = read_plain_polygons(&text[at..])?;
                at += length;
                (text[at - length..at].trim_ascii_start(), Some(area))
            }
            _ => (next::<&RawValue>(body, &mut at)?.get(), None),
        };
        members.push(Member { name: name.into(), value, area });
        if take(body, &mut at, b',').is_none() {
            break;
        }
    }
    take(body, &mut at, b'}')?;
    body[at..].trim_ascii().is_empty().then_some(members)
}

/// Room for the members of a common body.
const USUAL: usize = 8;

/// Goes on by a byte, with white space before it.
fn take(body: &[u8], at: &mut usize, wanted: u8) -> Option<()> {
    *at += body[*at..].iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | b'\r'))?;
    (body[*at] == wanted).then(|| *at += 1)
}

/// Goes on by a value.
fn next<'a, T: Deserialize<'a>>(body: &'a [u8], at: &mut usize) -> Option<T> {
    let mut values = serde_json::Deserializer::from_slice(&body[*at..]).into_iter();
    let value = values.next()?.ok()?;
    *at += values.byte_offset();
    Some(value)
}

fn read_position<'a>(text: &'a str, params: &mut Params<'a>) -> Result<(), Refusal> {
    let right = r#"write "near":{"lat":..,"lon":..}"#;
    let Members(members) = serde_json::from_str(text)
        .map_err(|_| Refusal::new(Code::BadBody, "near is no object").at("near").value(text).hint(right))?;
    for (name, value) in members {
        if name != "lat" && name != "lon" {
            let unknown = Refusal::new(Code::UnknownParameter, format!("{name:?} is not known in near"));
            return Err(unknown.at(name.into_owned()).hint(right));
        }
        let given = given(&name, value.get())?;
        params.add(name, given)?;
    }
    match ["lat", "lon"].into_iter().find(|name| params.given(name).is_none()) {
        Some(name) => Err(missing(name).hint(right)),
        None => Ok(()),
    }
}

/// What a member is: how its value begins in JSON, and what that is called.
fn form(name: &str) -> (&'static [u8], &'static str) {
    match name {
        "lat" | "lon" | "k" | "limit" => (DIGITS, "a number"),
        "min_seq" => (b"\"-0123456789", "a number, or a moment as in \"3.1042\""),
        "radius" => (b"\"-0123456789", "a number of metres, or a text as in \"2km\""),
        "explain" => (b"tf", "true or false"),
        "bbox" => (b"[", "a list of four numbers"),
        "fields" => (b"[", "a list of names"),
        _ => (b"\"", "a text"),
    }
}

/// How a number begins.
const DIGITS: &[u8] = b"-0123456789";

/// A value as it would stand in a URL: texts without quotes, numbers as written, lists of numbers with commas. What is meant as a number
/// and written as a text is refused, so that a body says what the contract says, and no more.
fn given<'a>(name: &str, value: &'a str) -> Result<Given<'a>, Refusal> {
    let (beginnings, right) = form(name);
    let begins = |value: &str, with: &[u8]| value.as_bytes().first().is_some_and(|first| with.contains(first));
    let refuse = || {
        let refusal = Refusal::new(Code::BadBody, format!("{name} is not {right}"));
        refusal.at(name.to_owned()).value(value).hint(format!("write {right}"))
    };
    if !begins(value, beginnings) {
        return Err(refuse());
    }
    match value.as_bytes()[0] {
        b'"' if name == "min_seq" && !value.contains('.') => Err(refuse()),
        b'"' => text(value).map(|text| Given::Text(text.into())).ok_or_else(refuse),
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(value).map_err(|_| refuse())?;
            if name == "fields" {
                let names = elements.iter().map(|element| text(element.get())).collect::<Option<_>>();
                return names.map(Given::List).ok_or_else(refuse);
            }
            let numbers: Vec<&str> = elements.iter().map(|element| element.get()).collect();
            let sound = numbers.iter().all(|number| begins(number, DIGITS));
            if sound { Ok(Given::Text(numbers.join(",").into())) } else { Err(refuse()) }
        }
        _ => match without_fraction(name, value) {
            // As a number it is none, and as a moment it would be a text.
            broken if name == "min_seq" && broken.contains('.') => Err(refuse()),
            number => Ok(Given::Text(number)),
        },
    }
}

/// A whole number as digits alone: many programs have one kind of number, and write 5 as `5.0`.
fn without_fraction<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(number);
    match value.parse::<f64>().ok().filter(is_whole) {
        Some(number) if ["k", "limit", "min_seq"].contains(&name) && value.contains(['.', 'e', 'E']) => {
            format!("{}", number as u64).into()
        }
        _ => value.into(),
    }
}

/// Up to here every whole number is itself as an `f64`.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// The members of an object in order, with values as their text, and none dropped for standing twice.
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    members.push((name.into(), value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    fn read_alone(body: &str) -> Result<Params<'_>, Refusal> {
        let mut params = Params::default();
        read(body.as_bytes(), &mut params)?;
        Ok(params)
    }

    #[test]
    fn members_read_as_parameters_would() {
        let body = r#"{"near":{"lat":48.857,"lon":2.352},"radius":"2km","k":5,"bbox":[1, 2,3e0,4],"fields":["a,b","c"],
            "within":{"type":"Polygon","coordinates":[]},"explain":true,"filter":null}"#;
        let params = read_alone(body).unwrap();
        for (name, value) in [
            ("lat", "48.857"),
            ("lon", "2.352"),
            ("radius", "2km"),
            ("k", "5"),
            ("bbox", "1,2,3e0,4"),
            ("within", r#"{"type":"Polygon","coordinates":[]}"#),
            ("explain", "true"),
        ] {
            assert_eq!(params.given(name), Some(&Given::Text(value.into())), "{name}");
        }
        let area = r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}"#;
        let body = format!(r#"{{"k":1, "within": {area} ,"limit":2}}"#);
        let polygons = vec![vec![vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]];
        assert_eq!(read_alone(&body).unwrap().given("within"), Some(&Given::Area(Box::new(polygons), area)));
        assert_eq!(read_alone(&body).unwrap().given("limit"), Some(&Given::Text("2".into())));
        assert_eq!(params.given("fields"), Some(&Given::List(vec!["a,b".to_owned(), "c".to_owned()])));
        assert_eq!(params.given("filter"), None);
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_fraction_of_nothing() {
        for (written, read) in
            [("5.0", "5"), ("5e0", "5"), ("1.2e1", "12"), ("5.5", "5.5"), ("-5.0", "-5.0"), ("1e300", "1e300")]
        {
            let body = format!(r#"{{"k":{written}}}"#);
            assert_eq!(read_alone(&body).unwrap().given("k"), Some(&Given::Text(read.into())), "{written}");
        }
        assert_eq!(read_alone(r#"{"radius":5.0}"#).unwrap().given("radius"), Some(&Given::Text("5.0".into())));
    }

    #[test]
    fn what_is_no_search_is_refused() {
        for (body, code) in [
            ("", Code::BadBody),
            ("[]", Code::BadBody),
            (r#"{"k":1} x"#, Code::BadBody),
            (r#"{"k":{}}"#, Code::BadBody),
            (r#"{"fields":[1]}"#, Code::BadBody),
            (r#"{"near":[1,2]}"#, Code::BadBody),
            (r#"{"near":{}}"#, Code::MissingParameter),
            (r#"{"near":{"lat":1}}"#, Code::MissingParameter),
            (r#"{"near":{"lat":[1],"lon":2}}"#, Code::BadBody),
            (r#"{"k":[5]}"#, Code::BadBody),
            (r#"{"k":"5"}"#, Code::BadBody),
            (r#"{"near":{"lat":"1","lon":2}}"#, Code::BadBody),
            (r#"{"bbox":["1",2,3,4]}"#, Code::BadBody),
            (r#"{"bbox":"1,2,3,4"}"#, Code::BadBody),
            (r#"{"fields":"name"}"#, Code::BadBody),
            (r#"{"geohash":7}"#, Code::BadBody),
            (r#"{"explain":"true"}"#, Code::BadBody),
            (r#"{"filter":["true"]}"#, Code::BadBody),
            (r#"{"k":1,"k":2}"#, Code::RepeatedParameter),
            (r#"{"k":null,"k":2}"#, Code::RepeatedParameter),
            (r#"{"lat":1}"#, Code::UnknownParameter),
            (r#"{"near":{"lat":1,"lng":2}}"#, Code::UnknownParameter),
            (r#"{"near":{"lat":1,"lat":2}}"#, Code::RepeatedParameter),
        ] {
            assert_eq!(read_alone(body).unwrap_err().code, code, "{body}");
        }
    }

    proptest! {
        #![proptest_config(repeatable(512))]

        #[test]
        fn a_body_read_in_one_pass_is_read_as_by_the_reader_of_json(
            names in prop::collection::vec(prop_oneof![Just("within"), Just("k"), Just("é"), Just(r"a\u0062"), "[a-z]{0,3}".prop_map(|name| &*name.leak())], 0..4),
            at in 0_usize..200, with in prop_oneof![Just(""), Just("{"), Just("}"), Just(","), Just(":"), Just("\""), Just("1"), Just("é"), Just(" ")],
        ) {
            let area = r#" {"coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"type":"Polygon"}"#;
            let member = |name: &&str| format!("\"{name}\" :{}", if *name == "within" { area } else { "[1,{\"a\":\"]\"}]" });
            let body = format!("{{{}}} ", names.iter().map(member).collect::<Vec<_>>().join(","));
            let at = (0..=at.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap();
            for body in [format!("{}{with}{}", &body[..at], &body[at..]), body.clone()] {
                let plain = plain_members(body.as_bytes());
                let whole: Result<Members<'_>, _> = serde_json::from_slice(body.as_bytes());
                let Some(plain) = plain else { continue };
                let whole = whole.unwrap().0;
                prop_assert_eq!(plain.len(), whole.len(), "{}", &body);
                for (one, (name, value)) in plain.iter().zip(&whole) {
                    prop_assert_eq!((&*one.name, one.value.trim()), (&**name, value.get().trim()), "{}", &body);
                    prop_assert_eq!(one.area.is_some(), name == "within");
                }
            }
        }
    }
}
