//! Reading our own files: which there are, and Rust text with comments and literals blanked out.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the repository.
pub(super) struct File {
    /// Its path from the top, with `/`.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
}

/// The top of the repository.
pub(super) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file that belongs to the repository, by path.
pub(super) fn files() -> Vec<File> {
    let mut paths = Vec::new();
    collect(top(), &mut paths);
    paths.sort();
    paths.into_iter().filter_map(read).collect()
}

/// Every Rust file of the repository.
pub(super) fn rust_files() -> Vec<File> {
    files().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

fn read(path: PathBuf) -> Option<File> {
    // What is no text, an image say, has no rules here.
    let text = fs::read_to_string(&path).ok()?;
    let path = path.strip_prefix(top()).expect("found under the top");
    Some(File { path: path.to_string_lossy().replace('\\', "/"), text })
}

/// All files but those that git ignores, or that others made.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    const NOT_OURS: &[&str] = &["target", ".git", "nigh-data", "node_modules", "Cargo.lock"];
    for entry in fs::read_dir(folder).expect("our own folder can be read") {
        let path = entry.expect("our own folder can be read").path();
        let name = path.file_name().expect("entries have names").to_string_lossy();
        if NOT_OURS.contains(&&*name) || name.ends_with(".rejected.csv") {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// The line, from 1, on which this byte stands.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    text[..byte].bytes().filter(|&byte| byte == b'\n').count() + 1
}

/// The same text with comments and the insides of literals replaced by spaces, so that what is left is code. Every byte
/// keeps its place.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_opaque(bytes, at);
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).expect("opaque pieces are blanked whole")
}

/// Where the comment or literal ends that begins here; `at` itself if none does.
fn end_of_opaque(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + position(rest, b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + end_of_block_comment(rest),
        [b'r', b'"' | b'#', ..] | [b'b', b'r', b'"' | b'#', ..] if !after_word => at + end_of_raw_string(rest),
        [b'"', ..] => at + end_of_quoted(rest, b'"'),
        [b'\'', ..] if is_char_literal(rest) => at + end_of_quoted(rest, b'\''),
        _ => at,
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn end_of_block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_raw_string(rest: &[u8]) -> usize {
    let Some(quote) = rest.iter().position(|byte| !matches!(byte, b'b' | b'r' | b'#')) else { return 0 };
    if rest[quote] != b'"' {
        return 0; // A raw identifier such as r#type.
    }
    let hashes = rest[..quote].iter().filter(|&&byte| byte == b'#').count();
    let close = [b"\"".to_vec(), vec![b'#'; hashes]].concat();
    position(&rest[quote + 1..], &close).map_or(rest.len(), |inside| quote + 1 + inside + close.len())
}

fn end_of_quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A quote opens a character unless it opens a lifetime: `'a'` and `'\n'`, but not `'a,`.
fn is_char_literal(rest: &[u8]) -> bool {
    match rest {
        [_, b'\\', ..] => true,
        [_, first, ..] if !first.is_ascii() => true,
        [_, _, b'\'', ..] => true,
        _ => false,
    }
}

/// The byte behind the bracket that closes the one at `open`.
pub(super) fn matching(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}
