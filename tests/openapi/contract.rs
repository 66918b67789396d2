//! `openapi.yaml` as tests look at it: operations, their parts with references followed, and validators of its schemas.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::service::Response;

const TEXT: &str = include_str!("../../openapi.yaml");

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The contract.
pub(crate) struct Contract {
    pub(crate) document: Value,
}

/// One method on one path.
pub(crate) struct Operation<'c> {
    pub(crate) method: String,
    pub(crate) path: &'c str,
    pub(crate) node: &'c Value,
}

impl Contract {
    pub(crate) fn read() -> Contract {
        Contract { document: serde_saphyr::from_str(TEXT).expect("the contract is YAML") }
    }

    /// What a node says, or what it refers to.
    pub(crate) fn at<'c>(&'c self, node: &'c Value) -> &'c Value {
        match node["$ref"].as_str() {
            None => node,
            Some(to) => {
                let pointer = to.strip_prefix('#').expect("references stay in the file");
                self.at(self.document.pointer(pointer).unwrap_or_else(|| panic!("{to} leads nowhere")))
            }
        }
    }

    pub(crate) fn schema(&self, name: &str) -> &Value {
        &self.document["components"]["schemas"][name]
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.document["paths"].as_object().expect("there are paths");
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(method, node)| (path, method, node))
            })
            .map(|(path, method, node)| {
                assert!(METHODS.contains(&&**method), "{path} has {method}, which is no method");
                Operation { method: method.to_uppercase(), path, node }
            })
            .collect()
    }

    /// The operation that a request is for; a path without anything that varies comes before one with it.
    pub(crate) fn operation_of(&self, method: &str, target: &str) -> Operation<'_> {
        let path = target.split('?').next().unwrap_or_default();
        let method = if method == "HEAD" { "GET" } else { method };
        let fitting = |operation: &Operation<'_>| operation.method == method && fits(operation.path, path);
        let operations = self.operations().into_iter().filter(fitting);
        operations
            .min_by_key(|operation| operation.path.matches('{').count())
            .unwrap_or_else(|| panic!("{method} {path}"))
    }

    pub(crate) fn parameters<'c>(&'c self, operation: &Operation<'c>) -> Vec<&'c Value> {
        operation.node["parameters"].as_array().into_iter().flatten().map(|parameter| self.at(parameter)).collect()
    }

    /// The names of the parameters that stand in a place.
    pub(crate) fn names_in(&self, operation: &Operation<'_>, place: &str) -> BTreeSet<String> {
        let parameters = self.parameters(operation);
        let there = parameters.into_iter().filter(|parameter| parameter["in"] == place);
        there.map(|parameter| parameter["name"].as_str().expect("a parameter has a name").to_owned()).collect()
    }

    pub(crate) fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"],
            "allOf": [schema],
        });
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&whole).unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
    }

    pub(crate) fn assert_valid(&self, schema: &Value, value: &Value, what: &str) {
        let errors: Vec<String> = self
            .validator(schema)
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{what}: {value}\n{}", errors.join("\n"));
    }

    /// Holds an answer against what the operation says of it: status, headers, media type, and every byte of the body.
    pub(crate) fn check(&self, method: &str, target: &str, response: &Response) {
        let what = format!("{method} {target} -> {}", response.status);
        let operation = self.operation_of(method, target);
        let described = &operation.node["responses"][response.status.to_string()];
        assert!(!described.is_null(), "{what} is not described: {}", response.body);
        let described = self.at(described);
        self.check_headers(described, response, &what);
        let Some(content) = described["content"].as_object() else {
            assert_eq!(response.body, "", "{what} has no body");
            return;
        };
        let said = response.header("content-type").unwrap_or_else(|| panic!("{what} says no type"));
        let media_type = said.split(';').next().unwrap_or_default().trim();
        let described = content.get(media_type).unwrap_or_else(|| panic!("{what}: {media_type} is not described"));
        if method == "HEAD" {
            return assert_eq!(response.body, "", "{what}");
        }
        self.check_body(described, media_type, &response.body, &what);
    }

    fn check_headers(&self, described: &Value, response: &Response, what: &str) {
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let header = self.at(header);
            let Some(given) = response.header(&name.to_lowercase()) else {
                assert_ne!(header["required"], true, "{what} has no {name}");
                continue;
            };
            let value = match self.at(&header["schema"])["type"] == "integer" {
                true => serde_json::from_str(given).unwrap_or_else(|_| panic!("{what}: {name}: {given}")),
                false => Value::from(given),
            };
            self.assert_valid(&header["schema"], &value, &format!("{what}, {name}"));
        }
    }

    fn check_body(&self, described: &Value, media_type: &str, body: &str, what: &str) {
        let value = match media_type {
            _ if media_type.ends_with("json") && media_type != "application/x-ndjson" => {
                serde_json::from_str(body).unwrap_or_else(|error| panic!("{what}: {error}: {body}"))
            }
            "application/yaml" => serde_saphyr::from_str(body).unwrap_or_else(|error| panic!("{what}: {error}")),
            _ => Value::from(body),
        };
        self.assert_valid(&described["schema"], &value, what);
        if !described["x-lines"].is_null() {
            let lines = self.validator(&described["x-lines"]);
            let data = |line: &&str| media_type != "text/event-stream" || line.starts_with("data: ");
            for line in body.lines().filter(|line| !line.is_empty()).filter(data) {
                let line = line.strip_prefix("data: ").unwrap_or(line);
                let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
                let errors: Vec<String> = lines.iter_errors(&value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{what}: {line}\n{}", errors.join("\n"));
            }
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (known, given) = (template.split('/'), path.split('/'));
    known.clone().count() == given.clone().count()
        && known.zip(given).all(|(known, given)| match known.split_once('{') {
            Some((before, rest)) => {
                let after = rest.split_once('}').expect("what varies is in braces").1;
                given.len() > before.len() + after.len() && given.starts_with(before) && given.ends_with(after)
            }
            None => known == given,
        })
}

/// The names in braces in a path.
pub(crate) fn varying(path: &str) -> BTreeSet<String> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
}
