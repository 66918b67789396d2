//! A disk that fails under the running service: what cannot be written is refused, and what was read is read on.

use std::process::{Command, Stdio};

use super::refusals::assert_refused;
use crate::service::Service;
use crate::small_disk::SmallDisk;

const ITEM: &str = r#"{"lat":48.857,"lon":2.352}"#;

/// The service as a process that may write files up to a size, and is refused beyond it rather than ended.
fn limited() -> (Service, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nigh")]);
    (Service::run(shell, data.path(), &["--no-demo", "--log-level", "off"]), data)
}

/// Lets no file of the service grow any more; whether that can be done here.
fn freeze(service: &Service) -> bool {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &service.id().to_string(), "--fsize=1"]).stderr(Stdio::null());
    prlimit.status().is_ok_and(|ended| ended.success())
}

#[test]
fn a_write_that_fails_ends_all_writing_and_no_reading() {
    let (service, _data) = limited();
    assert_eq!(service.put("/collections/a/items/b", ITEM).status, 201);
    if !freeze(&service) {
        return println!("skipped: no prlimit here to make a disk fail");
    }
    let refused = service.put("/collections/a/items/c", ITEM);
    assert_refused(&refused, "read-only");
    assert!(
        !refused.body.contains("/tmp") && !refused.body.contains("os error"),
        "our insides stay inside: {}",
        refused.body
    );
    assert_eq!(service.get("/readyz").json()["code"], "read-only");
    assert_eq!(service.get("/collections/a/items/b").status, 200);
    assert_eq!(service.get("/collections/a/items/c").status, 404, "what was not accepted is not there");
    assert_refused(&service.delete("/collections/a/items/b"), "read-only");
    assert_eq!(service.get("/livez").status, 200);
}

#[test]
fn a_load_whose_file_cannot_be_written_leaves_nothing() {
    let (service, _data) = limited();
    assert_eq!(service.put("/collections/a/items/b", ITEM).status, 201);
    if !freeze(&service) {
        return println!("skipped: no prlimit here to make a disk fail");
    }
    let csv = (0..6000).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("r{row},1,2\n"));
    let refused = service.ask("POST", "/collections/a/items", &["content-type: text/csv"], &csv);
    assert_refused(&refused, "unavailable");
    assert_eq!(service.get("/collections/a").fine()["count"], 1);
}

#[test]
fn a_full_disk_is_told_apart_from_everything_else() {
    // Smaller than what is left alone on every disk, so it is full from the start.
    let Some(disk) = SmallDisk::mount("24m") else { return };
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &disk.file("data"), &["--no-demo"]);
    let refused = service.put("/collections/a/items/b", ITEM);
    let upload = service.ask("POST", "/collections/a/items", &["content-type: text/csv"], "id,lat,lon\na,1,2\n");
    let settings = service.put("/collections/a", "{}");
    drop(service);
    for refused in [refused, upload, settings] {
        assert_refused(&refused, "disk-full");
        let hint = refused.json()["hint"].as_str().unwrap_or_default().to_owned();
        assert!(hint.ends_with("writes resume when there is room again"), "{hint}");
    }
}
