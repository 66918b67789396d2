//! The command line as it is typed: figures, refusals, exit codes.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/disk.rs"]
mod disk;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/export.rs"]
mod export;
#[path = "cli/packaging.rs"]
mod packaging;
#[path = "cli/query.rs"]
mod query;
#[path = "cli/service.rs"]
mod remote;
#[path = "service/mod.rs"]
mod service;
mod small_disk;
#[path = "cli/upkeep.rs"]
mod upkeep;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn nigh(arguments: &[&str]) -> Output {
    with_input(arguments, "")
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    with_bytes(arguments, input.as_bytes())
}

fn with_bytes(arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nigh runs");
    // A command that was asked wrongly does not read its input.
    let _ = process.stdin.take().expect("piped").write_all(input);
    process.wait_with_output().expect("nigh ends")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn distances_are_one_figure_a_line_with_all_digits() {
    let output = nigh(&["distance", "-33.8,151.2,-33.8,151.2", "0,0,0,180"]);
    assert_eq!(said(&output), (Some(0), "0\n20015114.442035925\n".into(), String::new()));
}

#[test]
fn the_metric_may_stand_before_and_after_southern_positions() {
    let after = nigh(&["distance", "-33.8,151.2,-34,151", "--metric", "vincenty"]);
    let before = nigh(&["distance", "--metric=vincenty", "-33.8,151.2,-34,151"]);
    let other = nigh(&["distance", "-33.8,151.2,-34,151"]);
    assert_eq!(said(&after), said(&before));
    assert_eq!(after.status.code(), Some(0));
    assert_ne!(after.stdout, other.stdout);
}

#[test]
fn lines_of_standard_input_keep_their_place_and_bad_ones_make_exit_code_3() {
    let output = with_input(&["distance", "-"], "0,0,0,0\nhere\n0,0,0,180\n");
    let (code, figures, messages) = said(&output);
    assert_eq!((code, figures.as_str()), (Some(3), "0\n\n20015114.442035925\n"));
    assert!(messages.contains("line 2: \"here\" is not numbers"), "{messages}");
    assert!(messages.contains("1 row was rejected"), "{messages}");
    assert_eq!(with_input(&["distance", "-"], "0,0,0,0\n").status.code(), Some(0));
}

#[test]
fn a_line_that_is_no_text_takes_no_good_neighbour_with_it() {
    let output = with_bytes(&["distance", "-"], b"0,0,0,0\n0,0,\xff,1\r\n0,0,0,180");
    let (code, figures, messages) = said(&output);
    assert_eq!((code, figures.as_str()), (Some(3), "0\n\n20015114.442035925\n"), "{messages}");
    assert!(messages.contains("line 2: "), "{messages}");
}

#[test]
fn whoever_reads_the_messages_may_have_seen_enough() {
    for (arguments, code) in [(&["distance", "-"][..], 3), (&["distance", "x"], 2)] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nigh runs");
        drop(process.stderr.take());
        let _ = process.stdin.take().expect("piped").write_all(b"x\n0,0,0,0\n");
        assert_eq!(process.wait().expect("nigh ends").code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn what_is_asked_wrongly_makes_exit_code_2_and_says_what_would_be_right() {
    for (arguments, message) in [
        (&["distance"][..], "required"),
        (&["distance", "1,2,3"], "write LAT1,LON1,LAT2,LON2"),
        (&["distance", "0,0,0,1", "151.2,-33.8,0,0"], "lat and lon look swapped"),
        (&["distance", "0,0,0,1", "--metric", "manhattan"], "haversine"),
        (&["serve", "--listen", "nowhere"], "write --listen ADDR:PORT"),
        (&["serve", "--data", "x"], "unexpected argument"),
        (&["completions", "tcl"], "bash"),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        let (code, figures, messages) = said(&nigh(arguments));
        assert_eq!((code, figures.as_str()), (Some(2), ""), "{arguments:?}: {messages}");
        assert!(messages.contains(message), "{arguments:?}: {messages}");
    }
}

#[test]
fn a_port_that_is_taken_is_a_failure_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let (code, _, messages) = said(&nigh(&["serve", "--no-demo", "--listen", &address, "--data-dir", folder]));
    assert_eq!(code, Some(1), "{messages}");
    assert!(messages.contains(&address) && messages.contains("--listen"), "{messages}");
}

#[test]
fn the_service_goes_on_when_nobody_reads_its_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
        .args(["serve", "--no-demo", "--listen", &free.to_string()])
        .arg("--data-dir")
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("nigh runs");
    drop(process.stdout.take());
    let listens = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        TcpStream::connect(free).is_ok()
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    let ended = process.try_wait().expect("it can be asked");
    let _ = process.kill();
    let _ = process.wait();
    assert_eq!((listens, ended), (true, None));
}

#[test]
fn a_data_directory_has_one_process_and_keeps_what_it_holds() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let serve = |arguments: &[&str]| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nigh runs");
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (process, line)
    };
    let (mut first, _) = serve(&[]);
    let begin = Instant::now();
    let (second, _) = serve(&[]);
    let (code, _, messages) = said(&second.wait_with_output().unwrap());
    assert_eq!(code, Some(1));
    assert!(messages.contains(&format!("in use by process {}", first.id())), "{messages}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let stop = |process: &mut Child| {
        assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
        assert_eq!(process.wait().unwrap().code(), Some(0));
    };
    stop(&mut first);
    // Without the demo there is still what the first start loaded.
    let (mut third, line) = serve(&["--no-demo"]);
    let address = line.trim().rsplit("http://").next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /near?lat=48.857&lon=2.352 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Paris"), "{answer}");
    stop(&mut third);
}
