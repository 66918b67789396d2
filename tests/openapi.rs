//! `openapi.yaml` says what the routes say: the same operations, each with the same parameters.
//!
//! It is read line by line, by its indentation. That needs no YAML library, and keeps the file in one plain form.

use std::collections::{BTreeMap, BTreeSet};

use nigh::http::{MEMBERS, ROUTES};

const CONTRACT: &str = include_str!("../openapi.yaml");

/// The lines below a heading, up to the next one of its indentation.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).expect("the section is there") + heading.len() + 2;
    let indentation = heading.len() - heading.trim_start().len();
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        if !line.trim().is_empty() && line.len() - line.trim_start().len() <= indentation {
            break;
        }
        end += line.len();
    }
    &text[start..end]
}

/// The names that stand at an indentation, each ending in a colon.
fn names(text: &str, indentation: usize) -> Vec<&str> {
    let at = |line: &&str| line.len() - line.trim_start().len() == indentation;
    text.lines().filter(at).filter_map(|line| line.trim().split(':').next()).filter(|name| !name.is_empty()).collect()
}

type Operations = BTreeMap<(String, String), BTreeSet<String>>;

fn documented() -> Operations {
    let paths = section(CONTRACT, "paths:");
    let mut operations = Operations::new();
    for path in names(paths, 2) {
        let path_section = section(&format!("\n{paths}"), &format!("  {path}:")).to_owned();
        for method in names(&path_section, 4) {
            let operation = section(&format!("\n{path_section}"), &format!("    {method}:")).to_owned();
            let parameters = operation.split("components/parameters/").skip(1);
            let parameters = parameters.filter_map(|rest| rest.split('\'').next()).map(str::to_owned).collect();
            operations.insert((method.to_uppercase(), path.to_owned()), parameters);
        }
    }
    operations
}

fn routed() -> Operations {
    let in_path = |path: &str| -> Vec<String> {
        path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect()
    };
    let entry = |route: &nigh::http::Route| {
        let own = route.parameters.iter().map(|&name| name.to_owned());
        let parameters = own.chain(in_path(route.path)).collect();
        ((route.method.to_owned(), route.path.to_owned()), parameters)
    };
    ROUTES.iter().map(entry).collect()
}

#[test]
fn every_operation_is_documented_with_its_parameters_and_no_other() {
    assert_eq!(documented(), routed());
    assert_eq!(ROUTES.len(), routed().len(), "no operation stands twice");
}

#[test]
fn every_parameter_is_described_under_its_own_name_and_used() {
    let components = section(CONTRACT, "components:");
    let parameters = section(&format!("\n{components}"), "  parameters:").to_owned();
    let described: BTreeSet<String> = names(&parameters, 4).into_iter().map(str::to_owned).collect();
    for name in &described {
        let one = section(&format!("\n{parameters}"), &format!("    {name}:")).to_owned();
        assert!(one.contains(&format!("name: {name}\n")), "{name}");
    }
    assert_eq!(described, documented().into_values().flatten().collect::<BTreeSet<_>>());
}

#[test]
fn a_search_has_the_members_that_are_documented() {
    let components = section(CONTRACT, "components:");
    let schemas = section(&format!("\n{components}"), "  schemas:").to_owned();
    let search = section(&format!("\n{schemas}"), "    Search:").to_owned();
    let properties = section(&format!("\n{search}"), "      properties:").to_owned();
    let documented: BTreeSet<&str> = names(&properties, 8).into_iter().collect();
    assert_eq!(documented, MEMBERS.iter().copied().collect());
}

#[test]
fn the_contract_is_of_this_version() {
    assert!(CONTRACT.contains(&format!("\n  version: {}\n", env!("CARGO_PKG_VERSION"))));
}
