//! The files of the page as they are part of the program, each with what is known of it.
//!
//! What surprises: a file may lie there up to three times, as it is and packed with Brotli and gzip. Packing is done once, where the
//! page is built, better than there would be time for at a request.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::http::accept::weight;

/// Every file of `web/dist` with its name.
static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// How a file may be packed, the smallest first: its coding, and how the name of the packed one ends.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// What files are called on the web, by how their names end.
const MEDIA_TYPES: [(&str, &str); 14] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("pbf", "application/x-protobuf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
];

/// A file as it goes out.
#[derive(Debug)]
pub(super) struct File {
    pub(super) media_type: &'static str,
    /// How its bytes are packed.
    pub(super) coding: Option<&'static str>,
    pub(super) bytes: &'static [u8],
    /// Its entity tag: the same bytes have the same.
    pub(super) tag: String,
    /// Whether other clients would get it packed otherwise.
    pub(super) is_coded: bool,
    /// Whether its name changes with what is in it, so that it may be kept for ever.
    pub(super) is_named_by_content: bool,
}

/// The file of that name, packed as whoever asks accepts it.
pub(super) fn find(name: &str, accepted: Option<&str>) -> Option<File> {
    find_in(EMBEDDED, name, accepted)
}

/// The bytes of a file as they are.
pub(super) fn bytes(name: &str) -> Option<&'static [u8]> {
    bytes_in(EMBEDDED, name)
}

fn bytes_in(files: &[(&str, &'static [u8])], name: &str) -> Option<&'static [u8]> {
    files.binary_search_by(|(own, _)| (*own).cmp(name)).ok().map(|at| files[at].1)
}

fn find_in(files: &[(&str, &'static [u8])], name: &str, accepted: Option<&str>) -> Option<File> {
    let plain = bytes_in(files, name)?;
    let media_type = media_type(name)?;
    let packed =
        CODINGS.iter().filter_map(|(coding, ending)| Some((*coding, bytes_in(files, &format!("{name}{ending}"))?)));
    let wanted =
        |coding: &str| accepted.and_then(|list| weight(list, &[coding, "*"])).is_some_and(|weight| weight > 0.0);
    let chosen = packed.clone().find(|(coding, _)| wanted(coding));
    let bytes = chosen.map_or(plain, |(_, bytes)| bytes);
    Some(File {
        media_type,
        coding: chosen.map(|(coding, _)| coding),
        bytes,
        tag: format!("\"{:016x}\"", xxh3_64(bytes)),
        is_coded: packed.count() > 0,
        // What is built goes there, each file with a hash of its contents in its name.
        is_named_by_content: name.starts_with("assets/"),
    })
}

/// What a file is called on the web. A packed one is no file of its own.
fn media_type(name: &str) -> Option<&'static str> {
    let ending = Path::new(name).extension()?.to_str()?;
    MEDIA_TYPES.iter().find(|(own, _)| *own == ending).map(|(_, media_type)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[(&str, &[u8])] = &[
        ("assets/a-1.js", b"plain"),
        ("assets/a-1.js.br", b"br"),
        ("assets/a-1.js.gz", b"gz"),
        ("icon.svg", b"<svg/>"),
    ];

    #[test]
    fn a_file_is_packed_as_it_is_accepted() {
        let found = |accepted| {
            let file = find_in(FILES, "assets/a-1.js", accepted).unwrap();
            assert!(file.is_coded && file.is_named_by_content);
            (file.coding, file.bytes)
        };
        for (accepted, expected) in [
            (None, (None, &b"plain"[..])),
            (Some("gzip, deflate, br, zstd"), (Some("br"), b"br")),
            (Some("gzip"), (Some("gzip"), b"gz")),
            (Some("br;q=0, gzip;q=0.5"), (Some("gzip"), b"gz")),
            (Some("*"), (Some("br"), b"br")),
            (Some("*;q=0"), (None, b"plain")),
            (Some("identity"), (None, b"plain")),
            (Some("brotli, gzippy"), (None, b"plain")),
        ] {
            assert_eq!(found(accepted), expected, "{accepted:?}");
        }
        let plain = find_in(FILES, "icon.svg", Some("br")).unwrap();
        assert!(plain.coding.is_none() && !plain.is_coded && !plain.is_named_by_content);
    }

    #[test]
    fn what_is_packed_otherwise_has_another_tag() {
        let tag = |accepted| find_in(FILES, "assets/a-1.js", Some(accepted)).unwrap().tag;
        assert!(tag("br") != tag("gzip") && tag("gzip") != tag("identity"));
        assert_eq!(tag("br"), tag("br, gzip"));
    }

    #[test]
    fn a_packed_file_is_no_file_of_its_own() {
        for name in ["assets/a-1.js.br", "assets/a-1.js.gz", "assets", "", "a-1.js", "../icon.svg"] {
            assert!(find_in(FILES, name, None).is_none(), "{name}");
        }
    }

    #[test]
    fn every_file_of_the_page_can_be_served() {
        assert!(EMBEDDED.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in EMBEDDED.iter().filter(|(name, _)| *name != super::super::basemap::ARCHIVE) {
            let packed = CODINGS.iter().find_map(|(_, ending)| name.strip_suffix(ending));
            let served = find(packed.unwrap_or(name), None);
            assert!(served.is_some(), "{name} has a type that is not known, or is packed without a file");
        }
        assert!(find(super::super::PAGE, None).is_some());
    }
}
