//! A service asked from the command line: when it is down, when it is none, when it wants a key, when it speaks TLS.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::service::Service;
use super::{nigh, said, with_input};

#[test]
fn a_service_that_is_down_is_told_as_such() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    for command in [&["query", "near", "1,2"][..], &["export"], &["health"]] {
        let (code, out, messages) = said(&nigh(&[command, &["--url", &url]].concat()));
        assert!(code == Some(1) && out.is_empty(), "{command:?}: {messages}");
        assert!(messages.contains(&format!("nothing listens at {url}; start the service")), "{messages}");
    }
}

/// A server that says one thing to everybody.
fn says(answer: &'static str, times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn what_is_no_service_of_ours_is_told_as_such() {
    for (answer, words) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone", "plain status 404: this may be no service of nigh"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine", "answers otherwise than nigh does"),
        ("SSH-2.0-OpenSSH_9\r\n", "does not speak HTTP"),
        ("", "ended the connection before it had answered"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"matched\":1", "ended the connection before it had answered"),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "plain status 302"),
    ] {
        let (code, out, messages) = said(&nigh(&["query", "near", "1,2", "--url", &says(answer, 1)]));
        assert!(code == Some(1) && out.is_empty() && messages.contains(words), "{answer:?}: {messages}");
    }
}

#[test]
fn a_service_that_is_busy_for_a_moment_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let busy = r#"{"status":503,"code":"overloaded","title":"t"}"#;
    let page = r#"{"matched":0,"returned":0,"next":null,"items":[]}"#;
    std::thread::spawn(move || {
        let answers = [("503 Busy\r\nretry-after: 0", busy), ("503 Busy\r\nretry-after: 0", busy), ("200 OK", page)];
        for (stream, (head, body)) in listener.incoming().zip(answers) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        }
    });
    let (code, out, messages) = said(&nigh(&["query", "near", "1,2", "--url", &url, "--json"]));
    assert_eq!((code, messages.as_str()), (Some(0), ""));
    assert!(out.contains("\"matched\":0"), "{out}");
}

#[test]
fn a_key_lets_in_from_the_option_the_environment_or_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.toml");
    let arguments = ["key", "new", "--name", "app", "--scope", "read", "--collection", "*", "--file"];
    let (code, key, _) = said(&nigh(&[&arguments[..], &[file.to_str().unwrap()]].concat()));
    assert_eq!(code, Some(0));
    let key = key.trim();
    let service = Service::start(&["--keys", file.to_str().unwrap()]);
    let url = format!("http://{}", service.address());
    let question = ["query", "near", "48.857,2.352", "--k", "1", "--url", &url];
    let (code, _, messages) = said(&nigh(&question));
    assert!(code == Some(1) && messages.contains("NIGH_KEY gives a key"), "{messages}");
    let (code, _, messages) = said(&nigh(&[&question[..], &["--key", "nigh_wrong"]].concat()));
    assert!(code == Some(1) && messages.contains("[unauthorized]") && !messages.contains("nigh_wrong"), "{messages}");
    let (code, answer, messages) = said(&nigh(&[&question[..], &["--key", key]].concat()));
    assert!(code == Some(0) && answer.contains("Paris"), "{messages}");
    let piped = said(&with_input(&[&question[..], &["--key", "-"]].concat(), &format!("{key}\n")));
    assert_eq!((piped.0, &piped.1), (Some(0), &answer));
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_nigh"));
    let by_environment = process.args(question).env("NIGH_KEY", key).output().unwrap();
    assert_eq!(said(&by_environment).1, answer);
    assert_eq!(said(&nigh(&["health", "--url", &url])), (Some(0), format!("{url} is ready\n"), String::new()));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_and_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let service = Service::start(&["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    let port = service.address().rsplit_once(':').unwrap().1;
    let question = ["query", "near", "48.857,2.352", "--k", "1", "--url", &format!("https://localhost:{port}")];
    let (code, _, messages) = said(&nigh(&question));
    assert!(code == Some(1) && messages.contains("cannot be trusted") && messages.contains("--ca"), "{messages}");
    let (code, answer, messages) = said(&nigh(&[&question[..], &["--ca", certificate.to_str().unwrap()]].concat()));
    assert!(code == Some(0) && answer.contains("Paris"), "{messages}");
    let (code, _, messages) = said(&nigh(&["health", "--url", &format!("http://localhost:{port}")]));
    assert!(code == Some(1) && messages.contains("localhost"), "{messages}");
    for (file, words) in [(key.to_str().unwrap(), "no certificate in it"), ("no-such.pem", "No such file")] {
        let (code, _, messages) = said(&nigh(&[&question[..], &["--ca", file]].concat()));
        assert!(code == Some(2) && messages.contains(words), "{messages}");
    }
}
