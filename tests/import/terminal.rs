//! What is shown of an import while it goes on: on a terminal, on standard error alone, and gone at the end.
//!
//! What surprises: the terminal is one that `script` makes, with the output of the program in a file beside it.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};

use super::Place;

/// Rows that take long enough to be watched, also on a fast machine.
fn many() -> String {
    "id,lat,lon,t\n".to_owned()
        + &(0..2_000_000).map(|n| format!("r{n},{},{},some text\n", n % 90, n % 180)).collect::<String>()
}

/// Runs a line of shell on a terminal; what was shown, or nothing, with a word, where none can be made.
fn on_a_terminal(place: &Place, line: &str, variables: &[(&str, &str)]) -> Option<String> {
    let line = line.replace("nigh", env!("CARGO_BIN_EXE_nigh"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(place.path("")).stdin(Stdio::null());
    script.env_remove("NIGH_DATA_DIR").env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
    let Ok(output) = script.output() else {
        println!("skipped: no script here to make a terminal");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_terminal_shows_rate_share_and_time_left_on_one_line_that_goes() {
    let place = Place::new();
    place.file("a.csv", many());
    let Some(shown) = on_a_terminal(&place, "nigh import a.csv > out", &[]) else { return };
    for words in [" rows  ", " rows/s  ", " MB/s  ", " %  ", " left", "writing …"] {
        assert!(shown.contains(words), "{words:?}: {shown:?}");
    }
    assert!(!shown.contains('\n'), "one line, written over: {shown:?}");
    assert!(shown.ends_with("\r\x1b[K"), "it is taken away: {shown:?}");
    let shares: Vec<u32> = shown.split(" %").filter_map(|piece| piece.rsplit(' ').next()?.parse().ok()).collect();
    assert!(!shares.is_empty() && shares.is_sorted() && shares.iter().all(|share| *share <= 100), "{shares:?}");
    let out = std::fs::read_to_string(place.path("out")).unwrap();
    assert!(out.starts_with('{') && !out.contains('\r'), "what programs read is as it is: {out}");
}

#[test]
fn there_is_no_line_where_standard_error_is_no_terminal_or_can_do_nothing() {
    let place = Place::new();
    place.file("a.csv", many());
    let Some(shown) = on_a_terminal(&place, "nigh import a.csv 2> messages", &[]) else { return };
    assert!(
        shown.contains("default: 2 000 000 new") && !shown.contains('\x1b') && !shown.contains("rows/s"),
        "{shown:?}"
    );
    assert_eq!(std::fs::read_to_string(place.path("messages")).unwrap(), "");
    assert_eq!(on_a_terminal(&place, "nigh import a.csv > out", &[("TERM", "dumb")]).unwrap(), "");
}

#[test]
fn a_line_has_no_colours_and_makes_way_for_messages() {
    let place = Place::new();
    place.file("a.csv", many() + "bad,north,2,x\n");
    let Some(shown) = on_a_terminal(&place, "nigh import a.csv > out", &[("NO_COLOR", "1")]) else { return };
    assert!(shown.contains("rows/s") && shown.replace("\x1b[K", "").find('\x1b').is_none(), "{shown:?}");
    let message = shown.find("a.csv: line 2000002: ").unwrap_or_else(|| panic!("{shown:?}"));
    assert!(shown[..message].ends_with("\r\x1b[K"), "{shown:?}");
}

#[test]
fn a_line_goes_when_the_import_is_stopped() {
    let place = Place::new();
    place.file("a.csv", many());
    let line = "(cat a.csv; sleep 4) | timeout -s INT 3 nigh import - > out; echo ended";
    let Some(shown) = on_a_terminal(&place, line, &[]) else { return };
    assert!(shown.contains("rows/s") && shown.ends_with("\r\x1b[Kended\r\n"), "{shown:?}");
    assert_eq!(std::fs::read_to_string(place.path("out")).unwrap(), "");
    assert_eq!(place.ids("default").len(), 0);
}
