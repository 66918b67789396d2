//! What holds for every command because it is one: help, completions, a page of the manual, refusals, a test.

use super::{nigh, said};
use nigh::cli::COMMANDS;

#[test]
fn every_command_helps_completes_and_has_a_page() {
    let (_, overview, _) = said(&nigh(&["--help"]));
    let (_, whole, _) = said(&nigh(&["man"]));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = said(&nigh(&["completions", shell]));
        assert!(code == Some(0) && COMMANDS.iter().all(|command| script.contains(command.name)), "{shell}");
    }
    for command in COMMANDS {
        let name = command.name;
        let (code, help, _) = said(&nigh(&[name, "--help"]));
        assert!(code == Some(0) && help.contains(command.summary) && help.contains("Usage: nigh "), "{help}");
        assert!(overview.contains(&format!("  {name} ")) && overview.contains(command.summary), "{overview}");
        assert!(command.summary.starts_with(|first: char| first.is_uppercase()) && !command.summary.ends_with('.'));
        let (code, page, _) = said(&nigh(&["man", name]));
        let escaped = name.replace('-', "\\-");
        assert!(code == Some(0) && page.contains(".TH") && page.contains(&escaped), "{page}");
        assert!(whole.contains(&format!("nigh\\-{escaped}")), "the page of nigh names nigh-{name}");
    }
}

#[test]
fn every_option_of_every_command_is_explained() {
    for command in COMMANDS {
        let (_, help, _) = said(&nigh(&[command.name, "--help"]));
        let lines: Vec<&str> = help.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("--")) {
            let explained =
                line.trim().contains("  ") || lines.get(at + 1).is_some_and(|next| next.starts_with("     "));
            assert!(explained, "{}: {line}", command.name);
        }
    }
}

#[test]
fn every_command_refuses_an_option_that_nobody_has() {
    for command in COMMANDS {
        let (code, out, messages) = said(&nigh(&[command.name, "--no-such-option"]));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{}: {messages}", command.name);
        assert!(messages.contains("--no-such-option"), "{}: {messages}", command.name);
    }
}

/// A command that is only in the list would pass all the tests above.
#[test]
fn every_command_is_run_by_a_test_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut texts = String::new();
    let files =
        ["", "cli", "service", "import", "migrate"].map(|inside| std::fs::read_dir(folder.join(inside)).unwrap());
    let paths = files.into_iter().flatten().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        if !path.ends_with("commands.rs") {
            texts += &std::fs::read_to_string(path).unwrap();
        }
    }
    for command in COMMANDS {
        let run = [format!("[\"{}\"", command.name), format!("arg(\"{}\")", command.name)];
        assert!(run.iter().any(|run| texts.contains(run)), "no test runs nigh {}", command.name);
    }
}

#[test]
fn a_word_that_is_misspelt_is_told_the_nearest() {
    for (arguments, meant) in [
        (&["exprot"][..], "export"),
        (&["qurey", "near", "1,2"], "query"),
        (&["query", "naer", "1,2"], "near"),
        (&["query", "near", "1,2", "--radios", "2km"], "--radius"),
        (&["export", "--colection", "a"], "--collection"),
        (&["serve", "--data", "x"], "--data-dir"),
        (&["serve", "--lisen", "x"], "--listen"),
        (&["query", "near", "1,2", "--metric", "havershine"], "haversine"),
        (&["export", "--format", "geojsn"], "geojson"),
        (&["completions", "bsh"], "bash"),
        (&["man", "exprot"], "export"),
    ] {
        let (code, _, messages) = said(&nigh(arguments));
        assert!(code == Some(2) && messages.contains(meant), "{arguments:?}: {messages}");
    }
}

#[test]
fn the_manual_is_written_as_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(said(&nigh(&["man", "--all", path])), (Some(0), String::new(), String::new()));
    for command in COMMANDS {
        let page = folder.path().join(format!("nigh-{}.1", command.name));
        assert!(std::fs::read_to_string(&page).unwrap().contains(".TH"), "{}", page.display());
    }
    assert!(folder.path().join("nigh-query-near.1").is_file());
    let (code, _, messages) = said(&nigh(&["man", "--all", "no/such/folder"]));
    assert!(code == Some(1) && messages.contains("no/such/folder"), "{messages}");
}
