//! A search as a JSON body, brought into the form of a query string.
//!
//! What surprises: no structure is declared for it. Members become parameters, `near` two of them, and whatever is unknown
//! or stands twice is refused just as it would be in a URL. A member that is `null` counts as left out.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Code, Refusal};
use super::params::{Given, Params, is_known, missing};

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
    let Members(members) = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(Code::BadBody, format!("the body is no JSON object: {error}"))
            .hint(r#"as in {"near":{"lat":48.857,"lon":2.352},"radius":"2km"}"#)
    })?;
    let mut seen = Params::default();
    for (name, value) in members {
        is_known(&name, known).map_err(|refusal| match &*name {
            "lat" | "lon" => refusal.hint(r#"write "near":{"lat":..,"lon":..}"#),
            _ => refusal,
        })?;
        seen.add(name.clone(), Given::Text("".into()))?;
        match (&*name, value.get()) {
            (_, "null") => {}
            // A body that is posted again to the next link: the link knows better how far one has come.
            ("cursor", _) if params.given("cursor").is_some() => {}
            ("near", position) => read_position(position, params)?,
            ("within", polygon) => params.add(name, Given::Text(polygon.into()))?,
            (_, value) => {
                let given = given(&name, value)?;
                params.add(name, given)?;
            }
        }
    }
    Ok(())
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
        "lat" | "lon" | "k" | "limit" | "min_seq" => (DIGITS, "a number"),
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
        _ => Ok(Given::Text(without_fraction(name, value))),
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
}
