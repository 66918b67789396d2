//! What goes wrong with each command: what cannot be had is a failure, what is asked wrongly is told with what would be right.

use std::collections::BTreeSet;

use nigh::cli::COMMANDS;

use super::{nigh, said};

/// What is typed, the exit code, and what the message says.
type Case<'a> = (&'a [&'a str], i32, &'a str);

/// Nobody listens on the first port. What is in memory of a process that reads it at its beginning cannot be read, even by the superuser.
const CASES: &[Case<'_>] = &[
    (&["serve", "--config", "no/such.toml"], 2, "no/such.toml: No such file or directory"),
    (&["serve", "--rate", "many"], 2, "rate"),
    (&["import"], 2, "<FILE>"),
    (&["import", "no/such.csv"], 1, "cannot read no/such.csv: No such file or directory"),
    (&["import", "/proc/self/mem", "--format", "csv"], 1, "cannot read /proc/self/mem: "),
    (&["export", "--data-dir", "no/such"], 1, "there is no data directory in no/such; --data-dir names one"),
    (&["export", "--format", "xml"], 2, "ndjson, csv, geojson"),
    (&["export", "--url", "http://127.0.0.1:1"], 1, "nothing listens at http://127.0.0.1:1; start the service"),
    (&["query"], 2, "near"),
    (&["query", "near"], 2, "LAT,LON"),
    (&["query", "near", "1,2", "--data-dir", "no/such"], 1, "there is no data directory in no/such"),
    (&["bench", "no/such.csv"], 1, "cannot read no/such.csv: No such file or directory"),
    (&["bench", "/proc/self/mem", "--format", "csv"], 1, "cannot read /proc/self/mem: "),
    (&["bench", "--points", "5"], 2, "--generate"),
    (&["migrate"], 2, "check"),
    (&["migrate", "check", "no/such.csv"], 1, "cannot read no/such.csv: No such file or directory"),
    (&["migrate", "run", "mysql://a/b"], 2, "is no source; a source is redis://"),
    (&["verify", "--data-dir", "no/such"], 1, "there is no data directory in no/such"),
    (&["verify", "no/such"], 2, "unexpected argument"),
    (&["repair", "--data-dir", "no/such"], 1, "there is no data directory in no/such"),
    (&["repair", "no/such"], 2, "unexpected argument"),
    (&["backup"], 2, "<TO>"),
    (&["backup", "b", "--data-dir", "no/such"], 1, "there is no data directory in no/such"),
    (&["restore"], 2, "<FROM>"),
    (&["restore", "no/such", "--data-dir", "no/other"], 1, "no/such is no backup"),
    (&["distance"], 2, "required"),
    (&["distance", "0,0,91,0"], 2, "latitude 91 is outside -90..90"),
    (&["key"], 2, "new"),
    (&["key", "new", "--name", "a"], 2, "--collection"),
    (&["key", "new", "--name", "No Name", "--collection", "*"], 2, "1 to 32"),
    (&["key", "new", "--name", "a", "--collection", "*", "--scope", "raed"], 2, "read"),
    (&["key", "new", "--name", "a", "--collection", "*", "--file", "no/such"], 1, "cannot write no/such: "),
    (&["health", "--url", "http://127.0.0.1:1"], 1, "nothing listens at http://127.0.0.1:1"),
    (&["health", "--url", "127.0.0.1:1"], 2, "write it as in http://localhost:6444"),
    (&["completions"], 2, "<SHELL>"),
    (&["completions", "tcsh"], 2, "bash"),
    (&["man", "no-such"], 2, "there is no such command; there are serve, import"),
    (&["man", "--all", "no/such"], 1, "cannot write into no/such: No such file or directory"),
];

#[test]
fn what_cannot_be_had_is_code_1_and_what_is_asked_wrongly_is_code_2() {
    for (arguments, code, words) in CASES {
        let (ended, out, messages) = said(&nigh(arguments));
        assert_eq!((ended, out.as_str()), (Some(*code), ""), "{arguments:?}: {messages}");
        assert!(messages.contains(words), "{arguments:?}: {messages}");
    }
    let tried: BTreeSet<&str> =
        CASES.iter().filter(|(_, code, _)| *code == 2).map(|(arguments, ..)| arguments[0]).collect();
    assert_eq!(tried, COMMANDS.iter().map(|command| command.name).collect(), "every command is asked wrongly");
}

/// The commands with their own, as they are typed, and what each says of itself.
fn helps() -> Vec<(Vec<String>, String)> {
    let inner =
        [("query", &["near", "within", "bbox", "search"][..]), ("migrate", &["check", "run"]), ("key", &["new"])];
    let mut helps = Vec::new();
    for command in COMMANDS {
        let own = inner.iter().find(|(name, _)| *name == command.name).map_or(&[][..], |(_, own)| *own);
        let typed = [vec![command.name.to_owned()]].into_iter();
        for words in typed.chain(own.iter().map(|word| vec![command.name.to_owned(), (*word).to_owned()])) {
            let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            let (code, help, _) = said(&nigh(&arguments));
            assert_eq!(code, Some(0), "{words:?}");
            helps.push((words, help));
        }
    }
    helps
}

#[test]
fn every_option_of_every_command_is_named_where_it_is_misspelt() {
    let mut tried = 0;
    for (words, help) in helps() {
        let options = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let long = line.find("--").filter(|at| *at == 0 || line.starts_with('-') && *at == 4)?;
            line[long..].split([' ', ',', '=', '[']).next()
        });
        for option in options {
            let doubled = format!("{option}{}", &option[option.len() - 1..]);
            // Of two letters out of three, nobody can tell which option they were.
            let swapped = (option.len() > "--log".len()).then(|| swapped(option));
            for wrong in [doubled].into_iter().chain(swapped) {
                let arguments: Vec<&str> = words.iter().map(String::as_str).chain([&*wrong]).collect();
                let (code, _, messages) = said(&nigh(&arguments));
                let is_named = messages.contains(&format!("'{option}'")) || messages.contains(&format!("{option} "));
                assert!(code == Some(2) && is_named, "{arguments:?}: {messages}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried} were tried");
}

/// The option with two letters in the middle swapped.
fn swapped(option: &str) -> String {
    let mut letters: Vec<char> = option.chars().collect();
    let middle = letters.len() / 2;
    letters.swap(middle, middle + 1);
    letters.into_iter().collect()
}
