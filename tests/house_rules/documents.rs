//! Documents that tell the truth: what they name exists, and what they list is all there is.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::{File, files, top};
use super::{assert_can_fail, assert_kept};

/// Documents whose paths and commands are checked.
fn documents() -> Vec<File> {
    let checked = |path: &str| {
        let named =
            ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "data/README.md", "benches/README.md", "web/README.md"];
        named.contains(&path) || (path.starts_with("src/design/") && path.ends_with(".md"))
    };
    files().into_iter().filter(|file| checked(&file.path)).collect()
}

/// The lists that documents repeat, each with the names in the code. Of the index kinds only those a user can choose.
fn lists() -> Vec<(&'static str, BTreeSet<String>)> {
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    vec![
        ("KINDS", names(nigh::index::Kind::offered().map(|kind| kind.name).collect())),
        ("METRICS", names(nigh::geometry::METRICS.iter().map(|metric| metric.name()).collect())),
        ("FORMATS", names(nigh::format::FORMATS.iter().map(|format| format.name).collect())),
        ("CODES", names(nigh::http::PROBLEMS.iter().map(|problem| problem.name).collect())),
        ("COMMANDS", names(nigh::cli::COMMANDS.iter().map(|command| command.name).collect())),
        ("SETTINGS", names(nigh::cli::SETTINGS.iter().map(|setting| setting.name).collect())),
        ("SERIES", names(nigh::http::SERIES.iter().map(|series| series.name).collect())),
        ("GENERATORS", names(nigh::generate::GENERATORS.iter().map(|generator| generator.name).collect())),
    ]
}

/// What stands between single backticks outside code blocks, and every line inside them, each with its line number.
fn code_spans(text: &str) -> Vec<(usize, String)> {
    let mut spans = Vec::new();
    let mut in_block = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            spans.push((at + 1, line.trim().to_owned()));
        } else {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (at + 1, span.to_owned())));
        }
    }
    spans
}

/// The targets of `[text](target)` that lie in the repository.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for piece in line.split("](").skip(1) {
            let target = piece.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.contains("::") {
                found.push((at + 1, target.to_owned()));
            }
        }
    }
    found
}

/// Whether a word claims to be a path of the repository: it begins with one of our folders, or is a file that only the top has.
/// A document names what lies beside it from its own folder too.
fn claims_a_path(word: &str) -> bool {
    const FOLDERS: &[&str] = &["src/", "tests/", "benches/", "data/", "web/", "examples/", "scripts/", "dist/", ".ci/"];
    const AT_THE_TOP: &[&str] =
        &["openapi.yaml", "clippy.toml", "rustfmt.toml", "Cargo.toml", "LICENSE-MIT", "LICENSE-APACHE"];
    let placeholder = word.contains(['*', '<', '…', '{', '$']);
    !placeholder && (FOLDERS.iter().any(|folder| word.starts_with(folder)) || AT_THE_TOP.contains(&word))
}

fn missing_paths(file: &File) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let named = code_spans(&file.text).into_iter().flat_map(|(line, span)| {
        let words: Vec<_> =
            span.split_whitespace().map(|word| word.trim_matches(['\'', '"', ',', '.', ':']).to_owned()).collect();
        // A leading dot belongs to the name of `.ci/run`.
        let dotted = span.split_whitespace().filter(|word| word.starts_with(".ci/")).map(str::to_owned);
        words
            .into_iter()
            .chain(dotted)
            .filter(|word| claims_a_path(word))
            .map(move |word| (line, word))
            .collect::<Vec<_>>()
    });
    let exists = |from: &str, path: &str| top().join(from).join(path).exists();
    let missing = named.filter(|(_, path)| !exists("", path) && !exists(folder, path)).collect::<Vec<_>>();
    // Links in the design texts are rustdoc's to check.
    let linked = if folder.starts_with("src") { Vec::new() } else { links(&file.text) };
    let broken = linked.into_iter().filter(|(_, path)| !exists(folder, path));
    missing.into_iter().chain(broken).map(|(line, path)| format!("{}:{line}: there is no {path}", file.path)).collect()
}

#[test]
fn paths_named_in_documents_exist() {
    assert!(documents().len() >= 2, "the documents are found");
    assert_kept(documents().iter().flat_map(missing_paths).collect());
}

#[test]
fn a_path_that_does_not_exist_is_noticed() {
    let fine = "See `src/lib.rs`, `cafes.csv`, `src/*/x.rs` and [the data](data/README.md).\n```sh\ncat data/cities.csv\n```\n";
    assert_can_fail(
        missing_paths,
        "README.md",
        fine,
        "a\nSee `src/nowhere.rs`.",
        "README.md:2: there is no src/nowhere.rs",
    );
    assert_can_fail(missing_paths, "README.md", fine, "```sh\n.ci/walk\n```", "README.md:2: there is no .ci/walk");
    assert_can_fail(missing_paths, "README.md", fine, "[it](nowhere.md)", "there is no nowhere.md");
    assert_can_fail(
        missing_paths,
        "data/README.md",
        "[it](cities.csv)",
        "[it](data/cities.csv)",
        "there is no data/cities.csv",
    );
    assert_can_fail(
        missing_paths,
        "web/README.md",
        "```text\nsrc/main.ts  the page\n```\n`web/src/main.ts`, `dist/index.html`",
        "```text\nsrc/nowhere.ts  nothing\n```",
        "web/README.md:2: there is no src/nowhere.ts",
    );
}

/// What is wrong with a command line that a document shows, if we can tell.
fn command_trouble(command: &str) -> Option<String> {
    let words: Vec<&str> = command.trim_start_matches("$ ").split_whitespace().collect();
    match words.as_slice() {
        ["cargo", rest @ ..] => cargo_trouble(rest),
        ["nigh", subcommand, ..] if subcommand.starts_with(|first: char| first.is_ascii_lowercase()) => {
            let help = Command::new(env!("CARGO_BIN_EXE_nigh")).args([subcommand, "--help"]).output();
            let known = help.is_ok_and(|output| output.status.success());
            (!known).then(|| format!("there is no command nigh {subcommand}"))
        }
        ["npm", "run", script, ..] => {
            let package = std::fs::read_to_string(top().join("web/package.json")).expect("the page has one");
            let known = package.contains(&format!("\n    \"{script}\": "));
            (!known).then(|| format!("web/package.json has no script {script}"))
        }
        _ => None,
    }
}

fn cargo_trouble(words: &[&str]) -> Option<String> {
    const KNOWN: &[&str] = &["build", "run", "test", "bench", "doc", "fmt", "clippy", "install", "tree"];
    let verb = words.first()?;
    if !KNOWN.contains(verb) {
        return Some(format!("cargo {verb} needs more than Cargo"));
    }
    for (flag, folder) in [("--test", "tests"), ("--bench", "benches"), ("--example", "examples")] {
        let target = words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1));
        if let Some(target) = target.filter(|target| !top().join(folder).join(format!("{target}.rs")).exists()) {
            return Some(format!("there is no {folder}/{target}.rs"));
        }
    }
    None
}

fn missing_commands(file: &File) -> Vec<String> {
    code_spans(&file.text)
        .into_iter()
        .filter_map(|(line, span)| command_trouble(&span).map(|trouble| format!("{}:{line}: {trouble}", file.path)))
        .collect()
}

#[test]
fn commands_named_in_documents_exist() {
    assert_kept(documents().iter().flat_map(missing_commands).collect());
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    let fine = "`cargo test --test house_rules`\n```sh\ncargo run --release\n```\n";
    assert_can_fail(missing_commands, "README.md", fine, "`cargo bench --bench none`", "there is no benches/none.rs");
    assert_can_fail(missing_commands, "README.md", fine, "`cargo nextest run`", "needs more than Cargo");
    let (fine, broken) = ("`npm run build`", "| `npm run nothing` | |");
    assert_can_fail(missing_commands, "web/README.md", fine, broken, "web/package.json has no script nothing");
}

/// Lists that a document repeats stand between `<!-- METRICS -->` and `<!-- end -->`, each entry beginning with its name in
/// backticks; in YAML, on one line `enum: [a, b] # METRICS`.
fn unequal_lists(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    for (list, names) in lists() {
        for written in markdown_lists(&file.text, list).into_iter().chain(yaml_lists(&file.text, list)) {
            if written != names {
                complaints.push(format!("{}: {list} is {names:?} and not {written:?}", file.path));
            }
        }
    }
    complaints
}

fn markdown_lists(text: &str, list: &str) -> Vec<BTreeSet<String>> {
    let name_of = |line: &str| {
        let entry = line.trim_start_matches(['|', '-', '*', ' ']).strip_prefix('`')?;
        entry.split('`').next().map(str::to_owned)
    };
    let names_in = |rest: &str| rest.split("<!-- end -->").take(1).flat_map(str::lines).filter_map(name_of).collect();
    text.split(&format!("<!-- {list} -->")).skip(1).map(names_in).collect()
}

fn yaml_lists(text: &str, list: &str) -> Vec<BTreeSet<String>> {
    let mark = format!("# {list}");
    let marked = text.lines().filter(|line| line.contains("enum: [") && line.ends_with(&mark));
    let inside = marked.map(|line| line.split(['[', ']']).nth(1).unwrap_or_default());
    // `auto` is a choice, but no entry.
    let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "auto").collect();
    inside.map(names).collect()
}

#[test]
fn lists_in_documents_are_those_in_the_code() {
    let repeating = files().into_iter().filter(|file| file.path.ends_with(".md") || file.path.ends_with(".yaml"));
    assert_kept(repeating.flat_map(|file| unequal_lists(&file)).collect());
}

#[test]
fn a_list_that_differs_is_noticed() {
    let (_, names) = &lists().into_iter().find(|(list, _)| *list == "METRICS").unwrap();
    let rows =
        |names: &BTreeSet<String>| names.iter().map(|name| format!("| `{name}` | a `word` |\n")).collect::<String>();
    let table =
        |names: &BTreeSet<String>| format!("<!-- METRICS -->\n| name | |\n|---|---|\n{}<!-- end -->\n", rows(names));
    let mut other = names.clone();
    other.insert("manhattan".to_owned());
    assert_can_fail(unequal_lists, "README.md", &table(names), &table(&other), "METRICS is");
    let yaml = |names: &BTreeSet<String>| {
        format!("enum: [{}] # METRICS", names.iter().cloned().collect::<Vec<_>>().join(", "))
    };
    assert_can_fail(unequal_lists, "openapi.yaml", &yaml(names), &yaml(&other), "METRICS is");
}

/// Paths that exist on one machine only.
fn machine_paths(file: &File) -> Vec<String> {
    // Put together here, so that this file does not name them itself.
    let forbidden = ["work", "root", "home", "tmp", "Users"].map(|folder| format!("/{folder}/"));
    let mut complaints = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for path in &forbidden {
            let begins =
                |start: usize| !line[..start].ends_with(|last: char| last.is_alphanumeric() || "_-.*)}".contains(last));
            if line.match_indices(path.as_str()).any(|(start, _)| begins(start)) {
                complaints.push(format!("{}:{}: {path} is a path of one machine", file.path, at + 1));
            }
        }
    }
    complaints
}

#[test]
fn no_path_of_one_machine_is_named() {
    assert_kept(files().iter().flat_map(machine_paths).collect());
}

#[test]
fn a_path_of_one_machine_is_noticed() {
    let broken = format!("let data = \"/{}/nigh/data\";", "home");
    assert_can_fail(
        machine_paths,
        "src/a.rs",
        "see src/work/file and https://a.org/home/x",
        &broken,
        "a path of one machine",
    );
}

/// Dependencies without a sentence in the decisions.
fn unexplained_dependencies(manifest: &str, decisions: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for section in
        manifest.split("\n[").filter(|section| section.split(']').next().unwrap_or("").ends_with("dependencies"))
    {
        for line in section.lines().skip(1).filter(|line| !line.starts_with('#')) {
            let Some((name, _)) = line.split_once(" = ") else { continue };
            if !decisions.contains(&format!("`{name}`")) {
                complaints.push(format!("Cargo.toml: {name} has no sentence in src/design/decisions.md"));
            }
        }
    }
    complaints
}

#[test]
fn every_dependency_has_its_reason() {
    let text = |path: &str| std::fs::read_to_string(top().join(path)).expect("it is ours");
    assert_kept(unexplained_dependencies(&text("Cargo.toml"), &text("src/design/decisions.md")));
}

#[test]
fn a_dependency_without_a_reason_is_noticed() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nknown = \"1\"\n\n[dev-dependencies]\nother = \"2\"\n";
    assert_eq!(
        unexplained_dependencies(manifest, "`known`"),
        ["Cargo.toml: other has no sentence in src/design/decisions.md"]
    );
}
