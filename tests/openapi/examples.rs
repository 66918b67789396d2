//! Every example of the contract fits its schema, and those that are requests succeed.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::contract::{Contract, Operation};
use crate::service::Service;

#[test]
fn every_example_fits_its_schema() {
    let contract = Contract::read();
    let mut checked = 0;
    visit(&contract, &contract.document, &mut checked);
    assert!(checked > 100, "{checked} examples were found");
}

/// Whatever has a schema beside its examples: parameters, headers and bodies.
fn visit(contract: &Contract, node: &Value, checked: &mut usize) {
    match node {
        Value::Array(values) => values.iter().for_each(|value| visit(contract, value, checked)),
        Value::Object(members) => {
            for example in examples_of(node).filter(|_| members.contains_key("schema")) {
                contract.assert_valid(&members["schema"], example, "an example");
                if let (Some(lines), Some(text)) = (members.get("x-lines"), example.as_str()) {
                    let is_field =
                        |line: &&str| line.is_empty() || line.starts_with("id: ") || line.starts_with("event: ");
                    for line in text.lines().filter(|line| !is_field(line)) {
                        let line = line.strip_prefix("data: ").unwrap_or(line);
                        contract.assert_valid(lines, &serde_json::from_str(line).unwrap(), "a line of an example");
                    }
                }
                *checked += 1;
            }
            let own = |name: &String| ["example", "examples"].contains(&&**name);
            members.iter().filter(|(name, _)| !own(name)).for_each(|(_, value)| visit(contract, value, checked));
        }
        _ => {}
    }
}

fn examples_of(node: &Value) -> impl Iterator<Item = &Value> {
    let named = node["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
    node.get("example").into_iter().chain(named)
}

/// A request that the contract gives as an example.
struct Sample {
    method: String,
    target: String,
    headers: Vec<String>,
    body: String,
}

#[test]
fn every_request_that_is_an_example_succeeds() {
    let contract = Contract::read();
    let (mut service, mut is_fresh) = (Service::with_demo(), true);
    for operation in contract.operations() {
        let samples = samples(&contract, &operation);
        assert!(!samples.is_empty(), "{} {}", operation.method, operation.path);
        for Sample { method, target, headers, body } in samples {
            // What is put or removed once must not decide about the next.
            if !is_fresh {
                service = Service::with_demo();
            }
            is_fresh = !["PUT", "DELETE"].contains(&&*method);
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let response = service.ask(&method, &target, &headers, &body);
            assert!((200..400).contains(&response.status), "{method} {target} {headers:?} {body}\n{}", response.body);
            contract.check(&method, &target, &response);
        }
    }
}

/// The operation with what it must have, then with each thing that it may have.
fn samples(contract: &Contract, operation: &Operation<'_>) -> Vec<Sample> {
    let parameters = contract.parameters(operation);
    let named = |name: &str| parameters.iter().copied().find(|parameter| parameter["name"] == name);
    let must = |parameter: &&Value| parameter["required"] == true || parameter["name"] == "wait";
    let needed: Vec<&Value> = parameters.iter().copied().filter(must).collect();
    let mut choices = vec![vec![]];
    for optional in
        parameters.iter().copied().filter(|parameter| !must(parameter) && parameter.get("example").is_some())
    {
        let mut choice = vec![optional];
        while let Some(needs) = choice.last().and_then(|last| named(last["x-needs"].as_str()?)) {
            if choice.contains(&needs) || needed.contains(&needs) {
                break;
            }
            choice.push(needs);
        }
        if let Some(lon) =
            named("lon").filter(|lon| choice.iter().any(|one| one["name"] == "lat") && !choice.contains(lon))
        {
            choice.push(lon);
        }
        // A fence has a radius.
        if let Some(radius) = named("radius").filter(|radius| {
            operation.path.ends_with("/changes")
                && choice.iter().any(|one| one["name"] == "lat")
                && !choice.contains(radius)
        }) {
            choice.push(radius);
        }
        choices.push(choice);
    }
    // Without a condition nothing is removed.
    if operation.node["operationId"] == "deleteItems" {
        choices.remove(0);
    }
    let bodies = bodies(contract, operation);
    let given = |chosen: &[&Value], body: &(String, String)| sample(operation, &[&needed[..], chosen].concat(), body);
    let first = choices.iter().map(|chosen| given(chosen, &bodies[0]));
    first.chain(bodies[1..].iter().map(|body| given(&[], body))).collect()
}

/// Each body of an example with its media type.
fn bodies(contract: &Contract, operation: &Operation<'_>) -> Vec<(String, String)> {
    let described = contract.at(&operation.node["requestBody"]);
    let content = described["content"].as_object().into_iter().flatten();
    let bodies: Vec<(String, String)> = content
        .flat_map(|(media_type, body)| examples_of(body).map(move |example| (media_type.clone(), text(example))))
        .collect();
    if bodies.is_empty() { vec![Default::default()] } else { bodies }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn sample(operation: &Operation<'_>, given: &[&Value], (media_type, body): &(String, String)) -> Sample {
    let (mut path, mut query, mut headers) = (operation.path.to_owned(), Vec::new(), Vec::new());
    for parameter in given {
        let name = parameter["name"].as_str().unwrap();
        let example = parameter.get("example").unwrap_or_else(|| panic!("{name} has no example"));
        let encoded = utf8_percent_encode(&text(example), NON_ALPHANUMERIC).to_string();
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &encoded),
            Some("query") => query.push(format!("{name}={encoded}")),
            _ => headers.push(format!("{name}: {}", text(example))),
        }
    }
    if !media_type.is_empty() {
        headers.push(format!("content-type: {media_type}"));
    }
    let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    Sample { method: operation.method.clone(), target, headers, body: body.clone() }
}
