//! What is delivered besides the program: an image, a unit, examples. Without an engine that would build the image, its recipe is held
//! against the repository.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use nigh::cli::{COMMANDS, SETTINGS};

use super::{nigh, said};

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Instructions of a recipe, with continued lines joined.
fn instructions(recipe: &str) -> Vec<(String, String)> {
    let lines =
        recipe.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let split = |line: &str| {
        let (name, rest) = line.split_once(' ').expect("an instruction has arguments");
        (name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(split).collect()
}

#[test]
fn the_image_is_built_of_what_is_here_and_runs_without_rights() {
    let recipe = text("Dockerfile");
    let instructions = instructions(&recipe);
    let all = |name: &str| {
        instructions.iter().filter(|(known, _)| known == name).map(|(_, rest)| rest.as_str()).collect::<Vec<_>>()
    };
    let ignored = text(".dockerignore");
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for copied in all("COPY") {
        let words: Vec<&str> = copied.split(' ').filter(|word| !word.starts_with("--chown")).collect();
        let (sources, from) = match words.split_first().unwrap() {
            (first, rest) if first.starts_with("--from=build") => (&rest[..rest.len() - 1], true),
            _ => (&words[..words.len() - 1], false),
        };
        for source in sources {
            let made = ["/build/target/release/nigh", "/data"].contains(source);
            let path = if from { source.strip_prefix("/build/").unwrap_or(source) } else { source };
            assert!(made || top.join(path).exists(), "COPY {copied}: there is no {path}");
            assert!(!ignored.lines().any(|line| line == path), "COPY {copied}: {path} is ignored");
        }
    }
    // What the build made is not sent there, nor what belongs to this machine; and nothing is ignored that a build needs.
    for needless in [".git", "target", "nigh-data"] {
        assert!(ignored.lines().any(|line| line == needless), "{needless}");
    }
    for needed in
        ["Cargo.toml", "Cargo.lock", "src", "benches", "tests", "data", "openapi.yaml", "README.md", "web", "examples"]
    {
        assert!(!ignored.lines().any(|line| line.trim_end_matches('/') == needed), "{needed} is needed by the build");
    }
    let version = text("Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"').map(str::to_owned));
    assert!(all("FROM")[0].starts_with(&format!("rust:{}", version.unwrap())), "the oldest Rust that we say is enough");
    assert!(all("RUN")[0].contains("--locked"));
    assert!(all("USER") == ["65532:65532"] && all("FROM")[1].ends_with(":nonroot"), "its user by number");
    let order = |name: &str| instructions.iter().rposition(|(known, _)| known == name).unwrap();
    assert!(order("USER") > order("COPY") && order("USER") < order("ENTRYPOINT"));
}

#[test]
fn the_image_starts_what_the_program_knows() {
    let instructions = instructions(&text("Dockerfile"));
    let one = |name: &str| &instructions.iter().find(|(known, _)| known == name).unwrap().1;
    let known = |name: &str| COMMANDS.iter().any(|command| command.name == name);
    let command: Vec<String> = serde_json::from_str(one("CMD")).unwrap();
    assert!(known(&command[0]), "{command:?}");
    let check = one("HEALTHCHECK");
    let check: Vec<String> = serde_json::from_str(&check[check.find('[').unwrap()..]).unwrap();
    let entry: Vec<String> = serde_json::from_str(one("ENTRYPOINT")).unwrap();
    assert!(check[0] == entry[0] && known(&check[1]), "{check:?}");
    let variables: BTreeMap<&str, &str> = one("ENV").split(' ').map(|pair| pair.split_once('=').unwrap()).collect();
    let mut print = Command::new(env!("CARGO_BIN_EXE_nigh"));
    let (code, printed, messages) =
        said(&print.args(["serve", "--print-config"]).envs(variables.clone()).output().unwrap());
    assert_eq!(code, Some(0), "{messages}");
    for name in variables.keys() {
        assert!(SETTINGS.iter().any(|setting| setting.variable == *name), "{name}");
        assert!(printed.contains(&format!("# variable {name}")), "{name}: {printed}");
    }
    // The port that it says is the one where it listens, and where the check asks.
    let port = one("EXPOSE");
    assert!(variables["NIGH_LISTEN"].ends_with(&format!(":{port}")));
    let (_, _, messages) = said(&nigh(&["health", "--url", "http://127.0.0.1:1"]));
    assert!(messages.contains("http://127.0.0.1:1"));
    assert!(said(&nigh(&["health", "--help"])).1.contains(&format!("http://127.0.0.1:{port}")));
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = text("packaging/nigh.service");
    for line in unit.lines().filter(|line| line.starts_with("Environment=")) {
        for (name, _) in line["Environment=".len()..].split(' ').filter_map(|pair| pair.split_once('=')) {
            assert!(SETTINGS.iter().any(|setting| setting.variable == name), "{name}");
        }
    }
    assert!(unit.contains("Type=notify\n") && unit.contains("ExecStart=/usr/local/bin/nigh serve\n"));
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return println!("skipped: no systemd-analyze here");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nigh.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/nigh", env!("CARGO_BIN_EXE_nigh"))).unwrap();
    let analysed = |arguments: &[&str], path: &Path| {
        let mut analyze = Command::new("systemd-analyze");
        let output = analyze.args(arguments).arg(path).env("SYSTEMD_COLORS", "0").output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (fine, told) = analysed(&["verify", "--man=no"], &path);
    let of_ours: Vec<&str> = told.lines().filter(|line| line.contains("nigh.service")).collect();
    assert!(fine && of_ours.is_empty(), "{told}");
    // What it may do, from 0 for nothing to 10 for everything.
    let (_, told) = analysed(&["security", "--offline=yes", "--no-pager"], &path);
    let exposure =
        told.lines().find_map(|line| line.split("nigh.service: ").nth(1)?.split(' ').next()?.parse::<f64>().ok());
    match exposure {
        Some(exposure) => assert!(exposure <= 2.0, "{told}"),
        None => println!("skipped: this systemd does not judge files: {told}"),
    }
}

#[test]
fn the_example_in_python_needs_requests_alone() {
    let example = text("examples/ask.py");
    let imported: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("import ")).collect();
    assert_eq!(imported, ["json", "sys", "requests"]);
}
