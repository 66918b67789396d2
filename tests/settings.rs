//! Settings: flags over variables over a file over defaults, and every one of them documented.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod service;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use nigh::cli::SETTINGS;
use service::Service;

fn serve(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
    for setting in SETTINGS {
        command.env_remove(setting.variable);
    }
    service::ends(command.arg("serve").args(arguments).envs(variables.iter().copied()))
}

/// What is printed, by name: the value and where it comes from.
fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
    let output = serve(&[arguments, &["--print-config"]].concat(), variables);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().map(|line| {
        let (said, origin) = line.rsplit_once('#').unwrap();
        let unset = || (said.trim_start_matches("# ").trim().trim_end_matches(" is not set"), "");
        let (name, value) = said.split_once(" = ").unwrap_or_else(unset);
        (name.to_owned(), (value.trim().to_owned(), origin.trim().to_owned()))
    });
    said.collect()
}

fn refused(arguments: &[&str], variables: &[(&str, &str)], message: &str) {
    let output = serve(arguments, variables);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {said}");
    assert!(said.contains(message), "{arguments:?}: {said}");
}

#[test]
fn each_source_stands_over_those_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("here.toml");
    fs::write(&file, "rate = 3\ndrain = 2.5\nno-demo = true\ncors = [\"https://a.example\", \"https://b.example\"]\n")
        .unwrap();
    let config = file.to_str().unwrap();
    let said = printed(
        &["--config", config, "--rate", "5", "--no-demo=false"],
        &[("NIGH_RATE", "4"), ("NIGH_DRAIN", "4"), ("NIGH_KEYS", "")],
    );
    let of_file = format!("file {config}");
    for (name, value, origin) in [
        ("rate", "5", "flag"),
        ("drain", "4", "variable NIGH_DRAIN"),
        ("no-demo", "false", "flag"),
        ("cors", "\"https://a.example,https://b.example\"", &of_file),
        ("listen", "\"127.0.0.1:6444\"", "default"),
        ("keys", "", "default"),
    ] {
        assert_eq!(said[name], (value.to_owned(), origin.to_owned()), "{name}");
    }
    assert_eq!(said.len(), SETTINGS.len());
    let named = printed(&[], &[("NIGH_CONFIG", config)]);
    assert_eq!(named["rate"], ("3".to_owned(), of_file));
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("printed.toml");
    let arguments = ["--rate", "7", "--cors", "*", "--no-demo", "--durability", "100", "--listen", "127.0.0.1:0"];
    let output = serve(&[&arguments[..], &["--print-config"]].concat(), &[]);
    fs::write(&file, &output.stdout).unwrap();
    let values = |said: BTreeMap<String, (String, String)>| said.into_iter().map(|(name, (value, _))| (name, value));
    let (before, after) = (printed(&arguments, &[]), printed(&["--config", file.to_str().unwrap()], &[]));
    assert!(values(before).eq(values(after)));
}

#[test]
fn the_file_in_the_data_directory_is_read_and_must_not_point_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let file = folder.path().join("nigh.toml");
    fs::write(&file, "no-demo = true\nslow-ms = 70").unwrap();
    let said = printed(&["--data-dir", data], &[]);
    assert_eq!(said["slow-ms"], ("70".to_owned(), format!("file {}", file.display())));
    assert_eq!(printed(&[], &[("NIGH_DATA_DIR", data)])["slow-ms"].0, "70");
    fs::write(&file, "data-dir = \"/elsewhere\"").unwrap();
    refused(&["--data-dir", data], &[], "cannot say that it is elsewhere");
}

#[test]
fn a_service_runs_with_a_file_of_settings_among_its_data() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "no-demo = true\nmax-body = 100\n").unwrap();
    let service = Service::start(&["--config", folder.path().join("config.toml").to_str().unwrap()]);
    assert_eq!(service.get("/collections").fine()["collections"], serde_json::json!([]));
    let long = format!(r#"{{"lat":1,"lon":2,"properties":{{"a":"{}"}}}}"#, "x".repeat(100));
    let refused = service.ask("PUT", "/collections/c/items/a", &["content-type: application/json"], &long);
    assert_eq!(refused.json()["code"], "body-too-large");
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn what_is_set_wrongly_stops_the_start_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let with = |text: &str, message: &str| {
        let file = folder.path().join("wrong.toml");
        fs::write(&file, text).unwrap();
        refused(&["--config", file.to_str().unwrap()], &[], message);
    };
    with("ratee = 3", "there is no setting ratee; the nearest is rate");
    with("data_dir = \"x\"", "the nearest is data-dir");
    with("[rate]\nx = 1", "neither a text, a number nor a list");
    with("rate = ", "wrong.toml");
    with("rate = -1", "--rate \"-1\": write a whole number");
    refused(&["--config", "/nowhere/nigh.toml"], &[], "/nowhere/nigh.toml");
    refused(&[], &[("NIGH_RATE", "many")], "--rate \"many\": write a whole number");
    refused(&["--rates", "1"], &[], "--rate");
    refused(&["--log-level", "loud"], &[], "off, error, warn, info, debug or trace");
}

#[test]
fn the_design_text_has_a_row_for_every_setting_as_it_is() {
    let text = include_str!("../src/design/operations.md");
    for setting in SETTINGS {
        let value =
            if setting.value.is_empty() { "true or false".to_owned() } else { setting.value.replace('|', " or ") };
        let default = if setting.default.is_empty() { "" } else { &format!("`{}`", setting.default) };
        let row = format!("| `{}` | `{}` | {value} | {default} | {} |", setting.name, setting.variable, setting.help);
        assert!(text.contains(&row), "this row is missing or another:\n{row}");
    }
}
