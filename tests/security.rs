//! Who is let in: keys, addresses, pages of other sites, limits, and TLS, all on the real program.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod service;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use service::{Response, Service};
use tempfile::TempDir;

fn nigh(arguments: &[&str]) -> Output {
    service::ends(Command::new(env!("CARGO_BIN_EXE_nigh")).args(arguments))
}

/// Keys in a file, made as users make them.
struct KeyFile {
    folder: TempDir,
}

impl KeyFile {
    fn new() -> KeyFile {
        KeyFile { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.toml")
    }

    /// The header that sends a new key.
    fn add(&self, name: &str, scope: &str, collections: &[&str]) -> String {
        let path = self.path();
        let mut arguments = vec!["key", "new", "--name", name, "--scope", scope, "--file", path.to_str().unwrap()];
        arguments.extend(collections.iter().flat_map(|name| ["--collection", name]));
        let output = nigh(&arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let key = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        assert!(key.starts_with(&format!("nigh_{name}_")), "{key}");
        format!("authorization: Bearer {key}")
    }

    fn serve(&self, arguments: &[&str]) -> Service {
        Service::start(&[&["--keys", self.path().to_str().unwrap()], arguments].concat())
    }
}

fn refusal(response: &Response) -> (u16, String) {
    (response.status, response.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn ids(listed: &Value) -> Vec<&str> {
    listed.as_array().unwrap().iter().map(|one| one["id"].as_str().or(one.as_str()).unwrap()).collect()
}

/// Asks until it is so, and no longer than anybody would wait.
fn soon(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Tells a service to read its files anew, and waits until it has: its access log, which is moved away before, comes last.
fn reload(service: &Service, log: &Path, ask: impl Fn()) {
    fs::remove_file(log).unwrap();
    service.signal("HUP");
    soon(|| {
        ask();
        log.exists()
    });
}

fn quiet(service: Service) {
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn without_a_key_that_fits_nothing_is_answered_and_nothing_told() {
    let keys = KeyFile::new();
    let reader = keys.add("reader", "read", &["earthquakes"]);
    let writer = keys.add("writer", "write", &["earthquakes", "cafes"]);
    let admin = keys.add("admin", "admin", &["*"]);
    let service = keys.serve(&[]);
    let near = "/collections/earthquakes/near?lat=60&lon=-150";
    let ask = |method: &str, target: &str, header: &str| {
        let body = if ["PUT", "POST"].contains(&method) { r#"{"lat":1,"lon":2}"# } else { "" };
        let headers: Vec<&str> =
            [header, "content-type: application/json"].into_iter().filter(|header| !header.is_empty()).collect();
        service.ask(method, target, &headers, body)
    };
    let wrong = format!("{}0", &reader[..reader.len() - 1]);
    let wrong = if wrong == reader { format!("{}1", &reader[..reader.len() - 1]) } else { wrong };
    for header in ["", &*wrong, "authorization: Basic YTpi", "authorization: Bearer", "authorization: Bearer nigh__"] {
        let refused = ask("GET", near, header);
        assert_eq!(refusal(&refused), (401, "unauthorized".into()), "{header:?}");
        assert!(refused.header("www-authenticate").unwrap().starts_with("bearer"));
    }
    let item = "/collections/earthquakes/items/x";
    for (method, target, header, status) in [
        ("GET", near, &reader, 200),
        ("HEAD", near, &reader, 200),
        ("PUT", item, &reader, 403),
        ("GET", "/near?lat=1&lon=2", &reader, 403),
        ("GET", "/collections/default/items", &reader, 403),
        ("GET", "/collections/nowhere/items", &reader, 403),
        ("GET", "/collections/%65arthquakes/items", &reader, 200),
        ("GET", "/collections/d%65fault/items", &reader, 403),
        ("GET", "/distance?from=0,0&to=0,1", &reader, 200),
        ("PUT", item, &writer, 201),
        ("GET", item, &writer, 200),
        ("PUT", "/collections/earthquakes", &writer, 403),
        ("DELETE", "/collections/earthquakes", &writer, 403),
        ("PUT", "/collections/default/items/x", &writer, 403),
        ("GET", "/metrics", &writer, 403),
        ("GET", "/metrics", &admin, 200),
        ("GET", "/near?lat=1&lon=2", &admin, 200),
        ("DELETE", item, &admin, 204),
        ("DELETE", "/collections/earthquakes", &admin, 204),
        ("GET", "/collections/earthquakes/items", &reader, 404),
    ] {
        let response = ask(method, target, header);
        if status == 403 {
            assert_eq!(refusal(&response), (403, "forbidden".into()), "{method} {target}");
        }
        assert_eq!(response.status, status, "{method} {target}: {}", response.body);
        assert!(response.status == 200 || !response.body.contains("default,"), "{}", response.body);
    }
    // What is not there is told to those who may know what is.
    let missing = ask("GET", "/collections/cafes/items", &writer);
    assert_eq!(missing.status, 404);
    assert!(!missing.body.contains("default"), "{}", missing.body);
    assert!(ask("GET", "/collections/nowhere/items", &admin).body.contains("default"));
    quiet(service);
}

#[test]
fn lists_hold_what_a_key_may_see() {
    let keys = KeyFile::new();
    let reader = keys.add("reader", "read", &["earthquakes"]);
    let all = keys.add("all", "read", &["*"]);
    let service = keys.serve(&[]);
    let listed = |header: &str| {
        let landing = service.ask("GET", "/", &[header], "").fine();
        let listed = service.ask("GET", "/collections", &[header], "").fine();
        assert_eq!(ids(&landing["collections"]), ids(&listed["collections"]));
        ids(&listed["collections"]).join(" ")
    };
    assert_eq!((listed(&reader), listed(&all)), ("earthquakes".into(), "default earthquakes".into()));
    assert_eq!(service.get("/").fine()["collections"], json!([]));
    assert_eq!(service.get("/collections").status, 401);
    assert_eq!(service.ask("GET", "/", &["authorization: Bearer nigh_reader_0"], "").status, 401);
    for target in ["/livez", "/readyz"] {
        let probed = service.ask("GET", target, &["authorization: Bearer nigh_reader_0"], "");
        assert_eq!(probed.status, 200, "{target} needs no key and looks at none");
    }
    quiet(service);
}

#[test]
fn keys_are_read_anew_when_the_service_is_told_to() {
    let keys = KeyFile::new();
    let first = keys.add("first", "read", &["*"]);
    let log = keys.folder.path().join("access.log");
    let service = keys.serve(&["--no-demo", "--access-log", log.to_str().unwrap()]);
    let status = |header: &str| service.ask("GET", "/collections", &[header], "").status;
    let reload = || reload(&service, &log, || drop(service.get("/livez")));
    let second = keys.add("second", "read", &["*"]);
    assert_eq!((status(&first), status(&second)), (200, 401));
    reload();
    assert_eq!((status(&first), status(&second)), (200, 200));
    let sound = fs::read_to_string(keys.path()).unwrap();
    fs::write(keys.path(), "[[key]]\nname = 1").unwrap();
    reload();
    assert_eq!((status(&first), status(&second)), (200, 200));
    fs::write(keys.path(), sound.replace("\"first\"", "\"retired\"")).unwrap();
    reload();
    assert_eq!((status(&first), status(&second)), (401, 200));
    let (code, log) = service.stop();
    assert_eq!((code, log.lines().count()), (Some(0), 1), "{log}");
    assert!(log.contains("the keys cannot be read anew; those before stay"), "{log}");
}

#[test]
fn a_start_that_would_let_in_everybody_or_nobody_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, odd) = (file("empty.toml", ""), file("odd.toml", "[[key]]\nname=\"a\"\nsecret=\"hunter2\""));
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for (arguments, message) in [
        (&["--listen", "0.0.0.0:0"][..], "--allow-anyone"),
        (&["--listen", "127.0.0.1:0,[::]:0"], "--keys FILE"),
        (&["--keys", &empty], "it holds no key"),
        (&["--keys", &odd], "unknown field `secret`"),
        (&["--keys", "/nowhere/keys.toml"], "/nowhere/keys.toml"),
        (&["--tls-cert", &empty], "both or neither"),
        (&["--tls-cert", &empty, "--tls-key", &empty], "no PEM certificate"),
        (&["--access-log", "/nowhere/log"], "/nowhere/log"),
    ] {
        let output = nigh(&[&["serve", "--data-dir", data], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    assert!(!Path::new(data).exists(), "a start that is refused makes nothing");
    let service = Service::start(&["--no-demo", "--listen", "0.0.0.0:0", "--allow-anyone"]);
    let port = service.address().rsplit(':').next().unwrap().to_owned();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    quiet(service);
}

#[test]
fn what_is_no_name_for_a_key_is_refused() {
    for (arguments, message) in [
        (&["--name", "A b", "--collection", "*"][..], "cannot name a key"),
        (&["--name", "a", "--collection", "A b"], "cannot be the name of a collection"),
        (&["--name", "a"], "--collection"),
        (&["--name", "a", "--collection", "*", "--scope", "root"], "admin"),
    ] {
        let output = nigh(&[&["key", "new"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains(message), "{said}");
    }
    let output = nigh(&["key", "new", "--name", "a", "--collection", "*"]);
    let (key, entry) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(key.trim().len(), "nigh_a_".len() + 64);
    assert!(entry.contains("scope = \"read\"") && !entry.contains(key.trim().rsplit('_').next().unwrap()), "{entry}");
}

#[test]
fn pages_of_other_sites_may_not_write_and_rebound_names_may_not_read() {
    let service = Service::start(&["--host-name", "geo.example"]);
    let put = |headers: &[&str]| {
        let headers = [&["content-type: application/json"], headers].concat();
        service.ask("PUT", "/collections/default/items/x", &headers, r#"{"lat":1,"lon":2}"#)
    };
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let refused = put(&[&format!("origin: {origin}")]);
        assert_eq!(refusal(&refused), (403, "foreign-origin".into()), "{origin}");
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    assert_eq!(put(&[&format!("origin: http://{}", service.address())]).status, 201);
    assert_eq!(put(&[]).status, 200);
    let foreign = service.ask("GET", "/near?lat=1&lon=2", &["origin: https://evil.example"], "");
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (200, None));
    let preflight = ["origin: https://evil.example", "access-control-request-method: PUT"];
    assert_eq!(service.ask("OPTIONS", "/collections/default/items/x", &preflight, "").status, 405);
    let at = |host: &str, header: &str| {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        write!(stream, "GET /collections HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{header}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64)\r\n";
    for (host, header, status) in [
        ("evil.example:6444", browser, "403"),
        ("evil.example:6444", "sec-fetch-site: same-origin\r\n", "403"),
        ("evil.example:6444", "origin: http://evil.example:6444\r\n", "403"),
        ("evil.example:6444", "user-agent: curl/8.5.0\r\n", "200"),
        ("x", "", "200"),
        ("localhost:6444", browser, "200"),
        ("geo.example", browser, "200"),
    ] {
        assert_eq!(at(host, header), status, "{host} {header}");
    }
    quiet(service);
}

#[test]
fn sites_that_are_let_in_may_ask_and_see() {
    let keys = KeyFile::new();
    let key = keys.add("map", "write", &["*"]);
    let service = keys.serve(&["--cors", "https://a.example"]);
    for target in ["/near", "/collections/default/items/x", "/nowhere", "/"] {
        let headers = [
            "origin: https://a.example",
            "access-control-request-method: PUT",
            "access-control-request-headers: authorization, if-match",
        ];
        let allowed = service.ask("OPTIONS", target, &headers, "");
        assert_eq!(allowed.status, 204, "{target}");
        assert_eq!(allowed.header("access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(allowed.header("access-control-allow-headers"), Some("authorization, if-match"));
        assert!(allowed.header("access-control-allow-methods").unwrap().contains("patch"));
        let other = service.ask("OPTIONS", target, &[&["origin: https://b.example"], &headers[1..]].concat(), "");
        assert!([404, 405].contains(&other.status), "{}", other.status);
        assert_eq!(other.header("access-control-allow-origin"), None);
    }
    let page = ["origin: https://a.example", &key, "content-type: application/json"];
    let put = service.ask("PUT", "/collections/default/items/x", &page, r#"{"lat":1,"lon":2}"#);
    assert_eq!((put.status, put.header("access-control-allow-origin")), (201, Some("https://a.example")));
    assert_eq!((put.header("access-control-expose-headers"), put.header("vary")), (Some("*"), Some("origin")));
    // A page that may ask may also read why it was refused.
    let refused = service.ask("GET", "/collections", &page[..1], "");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some("https://a.example")));
    let other = service.ask("PUT", "/collections/default/items/x", &["origin: https://b.example", &key], "{}");
    assert_eq!(refusal(&other), (403, "foreign-origin".into()));
    quiet(service);
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again() {
    let keys = KeyFile::new();
    let (first, second) = (keys.add("first", "read", &["*"]), keys.add("second", "read", &["*"]));
    // One in a while: a slow machine must not refill it while the test runs.
    let service = keys.serve(&["--no-demo", "--rate", "1"]);
    let ask = |header: &str| service.ask("GET", "/collections", &[header], "");
    let refused = (0..100).map(|_| ask(&first)).find(|response| response.status == 429);
    let refused = refused.expect("a hundred requests take less than a hundred seconds");
    assert_eq!(refusal(&refused), (429, "too-many-requests".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(&second).status, 200, "another key has its own limit");
    for _ in 0..20 {
        assert_eq!((service.get("/livez").status, service.get("/readyz").status), (200, 200));
    }
    let guesses = |number| service.ask("GET", "/", &[&format!("authorization: Bearer nigh_first_{number}")], "").status;
    assert!((0..100).map(guesses).any(|status| status == 429), "who tries keys out is slowed down");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(ask(&first).status, 200, "who waits as long as told is let in");
    quiet(service);
}

/// A certificate that vouches for itself, in files.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// Asks over TLS, trusting one certificate.
fn over_tls(address: &str, trusted: &CertificateDer<'static>) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address).unwrap());
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // the end may come without a farewell
    String::from_utf8(answer).map_err(|error| error.to_string())
}

#[test]
fn tls_is_spoken_and_its_certificate_exchanged_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let first = certificate(folder.path());
    let log = folder.path().join("access.log");
    let files = ["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem"), "--access-log", &path("access.log")];
    let service = Service::start(&[&["--no-demo"], &files[..]].concat());
    let answer = over_tls(service.address(), &first).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""href":"https://"#), "{answer}");
    let second = certificate(folder.path());
    assert!(over_tls(service.address(), &second).is_err(), "files are not looked at before it is told to");
    reload(&service, &log, || drop(over_tls(service.address(), &second)));
    assert!(over_tls(service.address(), &second).is_ok() && over_tls(service.address(), &first).is_err());
    // A certificate with the key of another.
    let key = fs::read(path("key.pem")).unwrap();
    certificate(folder.path());
    fs::write(path("key.pem"), key).unwrap();
    reload(&service, &log, || drop(over_tls(service.address(), &second)));
    assert!(over_tls(service.address(), &second).is_ok(), "the one before stays");
    let (code, log) = service.stop();
    assert_eq!((code, log.lines().count()), (Some(0), 1), "{log}");
    assert!(log.contains("the certificate cannot be read anew; the one before stays"), "{log}");
}
