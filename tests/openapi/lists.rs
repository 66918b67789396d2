//! What stands in the contract and in the program as well is the same: routes, members, kinds, metrics, formats, codes.

use std::collections::{BTreeMap, BTreeSet};

use nigh::format::{FORMATS, READERS, events};
use nigh::geometry::METRICS;
use nigh::http::{Access, FENCE_MEMBERS, MEMBERS, PROBLEMS, ROUTES, WALK_MEMBERS};
use nigh::index::Kind;
use serde_json::{Value, json};

use crate::contract::{Contract, varying};

type Parameters = (BTreeSet<String>, BTreeSet<String>);

#[test]
fn every_operation_is_documented_with_its_parameters_and_no_other() {
    let contract = Contract::read();
    let documented: BTreeMap<(String, String), Parameters> = contract
        .operations()
        .iter()
        .map(|operation| {
            let names = (contract.names_in(operation, "query"), contract.names_in(operation, "path"));
            ((operation.method.clone(), operation.path.to_owned()), names)
        })
        .collect();
    let routed: BTreeMap<(String, String), Parameters> = ROUTES
        .iter()
        .map(|route| {
            let query = route.parameters.iter().map(|&name| name.to_owned()).collect();
            ((route.method.to_owned(), route.path.to_owned()), (query, varying(route.path)))
        })
        .collect();
    for (operation, names) in &routed {
        assert_eq!(documented.get(operation), Some(names), "{operation:?}");
    }
    assert_eq!(documented.keys().collect::<Vec<_>>(), routed.keys().collect::<Vec<_>>());
    assert_eq!(ROUTES.len(), routed.len(), "no operation stands twice");
}

#[test]
fn every_operation_says_who_may_ask_for_it() {
    let contract = Contract::read();
    assert_eq!(contract.document["security"], json!([{}, { "bearer": [] }]));
    for route in ROUTES {
        let operation = contract.operation_of(route.method, route.path);
        let access = serde_json::to_value(route.access).unwrap();
        assert_eq!(operation.node["x-access"], access, "{} {}", route.method, route.path);
        let open = operation.node["security"] == json!([]);
        assert_eq!(open, route.access == Access::Anyone, "{} {}", route.method, route.path);
    }
}

#[test]
fn every_operation_can_be_called_by_name_and_found_by_tag() {
    let contract = Contract::read();
    let tags: BTreeSet<&str> =
        contract.document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for operation in contract.operations() {
        let node = operation.node;
        assert!(ids.insert(node["operationId"].as_str().unwrap()), "{node}");
        assert!(node["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{node}");
        used.extend(node["tags"].as_array().unwrap().iter().filter_map(Value::as_str));
    }
    assert_eq!(used, tags);
}

#[test]
fn every_component_is_used_and_described_under_its_own_name() {
    let contract = Contract::read();
    let mut used = BTreeSet::new();
    gather(&contract.document, &mut used);
    for (kind, components) in contract.document["components"].as_object().unwrap() {
        for (name, component) in components.as_object().unwrap() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(kind == "securitySchemes" || used.contains(&reference), "{reference} is used nowhere");
            assert!(kind != "parameters" || component["description"].is_string(), "{reference} has no description");
        }
    }
}

fn gather(node: &Value, used: &mut BTreeSet<String>) {
    match node {
        Value::Object(members) => {
            used.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| gather(value, used));
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, used)),
        _ => {}
    }
}

#[test]
fn what_a_parameter_needs_is_a_parameter_beside_it() {
    let contract = Contract::read();
    for operation in contract.operations() {
        for parameter in contract.parameters(&operation) {
            if let Some(needed) = parameter["x-needs"].as_str() {
                let beside = contract.names_in(&operation, "query").contains(needed);
                // Distances between positions are measured without a place to look from.
                assert!(beside || operation.path.ends_with("/distance"), "{} {needed}", operation.path);
            }
        }
    }
}

#[test]
fn bodies_have_the_members_that_are_documented() {
    let contract = Contract::read();
    for (schema, members) in [("Search", MEMBERS), ("Fence", FENCE_MEMBERS), ("WalkSearch", WALK_MEMBERS)] {
        assert_eq!(keys(&contract.schema(schema)["properties"]), members.iter().copied().collect(), "{schema}");
    }
}

#[test]
fn events_and_what_is_read_are_those_of_the_program() {
    let contract = Contract::read();
    assert_eq!(contract.schema("Change")["properties"]["event"]["enum"], json!(events::EVENTS));
    let upload = &contract.document["components"]["requestBodies"]["Upload"]["content"];
    let known: BTreeSet<&str> = READERS.iter().flat_map(|reader| reader.media_types).copied().collect();
    for media_type in keys(upload) {
        assert!(
            media_type == "application/octet-stream" || known.contains(media_type),
            "{media_type} is read by nobody"
        );
    }
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn kinds_metrics_and_formats_are_those_of_the_program() {
    let contract = Contract::read();
    let kinds: Vec<&str> = Kind::offered().map(|kind| kind.name).collect();
    assert_eq!(contract.schema("Kind")["enum"], json!(kinds));
    assert_eq!(contract.schema("Index")["enum"], json!([&["auto"][..], &kinds].concat()));
    let metrics: Vec<&str> = METRICS.iter().map(|metric| metric.name()).collect();
    assert_eq!(contract.schema("Metric")["enum"], json!(metrics));
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let components = &contract.document["components"];
    assert_eq!(components["parameters"]["f"]["schema"]["enum"], json!(names));
    let media_types: BTreeSet<&str> = FORMATS.iter().map(|format| format.media_type).collect();
    let item = contract.operation_of("GET", "/collections/c/items/a");
    for response in [&components["responses"]["Page"], &item.node["responses"]["200"]] {
        assert_eq!(keys(&response["content"]), media_types);
    }
}

#[test]
fn codes_have_the_status_and_the_title_that_the_table_says() {
    let contract = Contract::read();
    let names: Vec<&str> = PROBLEMS.iter().map(|problem| problem.name).collect();
    assert_eq!(contract.schema("Code")["enum"], json!(names));
    let text = contract.document["info"]["description"].as_str().unwrap();
    let rows: Vec<String> = text.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let problem =
        |problem: &nigh::http::Problem| format!("| `{}` | {} | {} |", problem.name, problem.status, problem.title);
    assert_eq!(rows, PROBLEMS.iter().map(problem).collect::<Vec<_>>());
}

#[test]
fn a_refusal_is_described_under_its_own_status() {
    let contract = Contract::read();
    let mut statuses = BTreeSet::new();
    for operation in contract.operations() {
        for (status, response) in operation.node["responses"].as_object().unwrap() {
            let content = &contract.at(response)["content"]["application/problem+json"];
            assert_eq!(status >= &"400".to_owned(), !content.is_null(), "{} {status}", operation.path);
            if content.is_null() {
                continue;
            }
            let status: u16 = status.parse().unwrap();
            let problem = PROBLEMS.iter().find(|problem| content["example"]["code"] == problem.name);
            let (shown, title) = (&content["example"]["status"], &content["example"]["title"]);
            let problem = problem.unwrap_or_else(|| panic!("{content}"));
            assert_eq!((problem.status, shown, title), (status, &json!(status), &json!(problem.title)));
            statuses.insert(status);
        }
    }
    // Every operation may be asked with another method, or meet a mistake of ours: the text says so once for all.
    let all: BTreeSet<u16> =
        PROBLEMS.iter().map(|problem| problem.status).filter(|status| ![405, 500].contains(status)).collect();
    assert_eq!(statuses, all);
}

#[test]
fn the_contract_is_of_this_version() {
    assert_eq!(Contract::read().document["info"]["version"], env!("CARGO_PKG_VERSION"));
}
