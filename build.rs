//! Lists the files of the map page, so that they are part of the program.
//!
//! What is built lies in `web/dist` and is committed; here it is only named. What surprises: this is a build script and not a macro,
//! because Cargo looks for new files in a folder only when a build script asks it to. And the list says where the files are by the
//! package's folder of whoever compiles it: two checkouts that share a target folder share the list.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const BUILT: &str = "web/dist";

fn main() {
    println!("cargo::rerun-if-changed={BUILT}");
    let top = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("Cargo says where the package is"));
    let mut files = Vec::new();
    collect(&top.join(BUILT), "", &mut files);
    files.sort();
    let mut list = String::from("&[\n");
    for name in files {
        let path = format!("/{BUILT}/{name}");
        writeln!(list, "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")
            .expect("a text takes everything");
    }
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo says where to write"));
    fs::write(out.join("page.rs"), list).expect("the list can be written");
}

/// The name of every file below a folder, from the top of the page, with `/`.
fn collect(folder: &Path, above: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the built page is there") {
        let path = entry.expect("its entries can be read").path();
        let own = path.file_name().expect("entries have names").to_str().expect("names in the page are plain text");
        let name = format!("{above}{own}");
        match path.is_dir() {
            true => collect(&path, &format!("{name}/"), files),
            false => files.push(name),
        }
    }
}
