//! Properties of random items, and filters over them with what each should mean.

use nigh::generate::Random;
use serde_json::Value;

/// The properties that filters here ask for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    seats: Option<i64>,
    kind: Option<String>,
}

impl Facts {
    pub(super) fn of(json: &str) -> Facts {
        let value: Value = serde_json::from_str(json).unwrap();
        Facts { seats: value["seats"].as_i64(), kind: value["kind"].as_str().map(str::to_owned) }
    }
}

/// The text of random properties: some missing, some null.
pub(super) fn random_json(random: &mut Random) -> String {
    let kind = ["\"cafe\"", "\"bar\"", "\"Café\"", "\"bakery\"", "null"][random.below(5) as usize];
    match random.below(6) {
        0 => "{}".to_owned(),
        1 => format!("{{\"kind\": {kind}}}"),
        2 => format!("{{\"seats\":{}}}", random.below(100)),
        _ => format!("{{\"seats\":{}, \"kind\": {kind}}}", random.below(100)),
    }
}

/// A filter as it is written, and what it means. Of what is missing it says no.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) text: &'static str,
    pub(super) holds: fn(&str, &Facts) -> bool,
}

fn kind_is(facts: &Facts, wanted: &str) -> bool {
    facts.kind.as_deref() == Some(wanted)
}

/// From keeping everything to keeping nothing.
pub(super) static CONDITIONS: &[Condition] = &[
    Condition { text: "seats < 50", holds: |_, facts| facts.seats.is_some_and(|seats| seats < 50) },
    Condition { text: "kind = 'cafe'", holds: |_, facts| kind_is(facts, "cafe") },
    Condition { text: "NOT kind = 'bar'", holds: |_, facts| facts.kind.is_some() && !kind_is(facts, "bar") },
    Condition {
        text: "kind IS NULL OR seats >= 90",
        holds: |_, f| f.kind.is_none() || f.seats.is_some_and(|s| s >= 90),
    },
    Condition { text: "seats = 7", holds: |_, facts| facts.seats == Some(7) },
    Condition { text: "id LIKE '%7'", holds: |id, _| id.ends_with('7') },
    Condition { text: "seats >= 0 OR seats IS NULL", holds: |_, _| true },
    Condition { text: "seats < 0", holds: |_, _| false },
];
