//! Lines of `test_decoding`: which row a change is about.
//!
//! ```text
//! table public.cafes: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 name[text]:'it''s'
//! table public.cafes: DELETE: id[integer]:2
//! table public.cafes: TRUNCATE: (no-flags)
//! ```
//!
//! What surprises: of a change only the id is taken, old and new, and the row is read from the table. A line does not hold all of a row:
//! long values that did not change are left out, and positions are in the coordinates of the table.

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// It is about another table.
    Nothing,
    /// Rows with these ids changed.
    Rows(Vec<String>),
    /// It does not say which rows.
    Everything(&'static str),
}

/// What a line tells of a table whose ids are in a column; both as `quote_ident` writes them.
pub(super) fn told(line: &str, table: &str, id: &str) -> Told {
    let Some(change) = line.strip_prefix("table ").and_then(|line| line.strip_prefix(table)) else {
        return Told::Nothing;
    };
    let Some((kind, rest)) = change.strip_prefix(": ").and_then(|change| change.split_once(':')) else {
        return Told::Nothing;
    };
    if kind == "TRUNCATE" {
        return Told::Everything("the table was emptied");
    }
    let mut ids = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        rest = rest.trim_start_matches("old-key: ").trim_start_matches("new-tuple: ");
        if rest.starts_with("(no-tuple-data)") {
            return Told::Everything("a row went that has no replica identity");
        }
        let Some(column) = column(rest) else { return Told::Everything("a change cannot be read") };
        if column.name == id
            && let Some(value) = column.value
            && !ids.contains(&value)
        {
            ids.push(value);
        }
        rest = column.rest.trim_start();
    }
    match ids.is_empty() {
        true => Told::Everything("a change does not say which row it is about"),
        false => Told::Rows(ids),
    }
}

/// One column of a line.
struct Column<'a> {
    name: &'a str,
    /// Its value; nothing for null, and for what is left out because it did not change.
    value: Option<String>,
    rest: &'a str,
}

/// Reads `name[type]:value`.
fn column(text: &str) -> Option<Column<'_>> {
    let name_end = if text.starts_with('"') { quoted_end(text, '"')? } else { text.find('[')? };
    let (name, rest) = text.split_at(name_end);
    let rest = rest.strip_prefix('[')?;
    // The type may have brackets and a quoted name of its own; it ends where they do.
    let (mut depth, mut at) = (1, 0);
    while depth > 0 {
        match rest[at..].chars().next()? {
            '"' => at += quoted_end(&rest[at..], '"')?,
            '[' => (depth, at) = (depth + 1, at + 1),
            ']' => (depth, at) = (depth - 1, at + 1),
            other => at += other.len_utf8(),
        }
    }
    let rest = rest[at..].strip_prefix(':')?;
    let quote_at = if rest.starts_with("B'") { 1 } else { 0 };
    if rest[quote_at..].starts_with('\'') {
        let end = quote_at + quoted_end(&rest[quote_at..], '\'')?;
        let value = rest[quote_at + 1..end - 1].replace("''", "'");
        return Some(Column { name, value: Some(value), rest: &rest[end..] });
    }
    let end = rest.find(' ').unwrap_or(rest.len());
    let value = Some(&rest[..end]).filter(|value| !["null", "unchanged-toast-datum"].contains(value));
    Some(Column { name, value: value.map(str::to_owned), rest: &rest[end..] })
}

/// Where a quoted text ends, at the beginning of which we are; quotes in it are doubled.
fn quoted_end(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(line: &str) -> Told {
        told(line, "public.\"My cafes\"", "id")
    }

    #[test]
    fn ids_are_found_among_columns_of_all_kinds() {
        let rows = |ids: &[&str]| Told::Rows(ids.iter().map(|id| (*id).to_owned()).collect());
        for (line, expected) in [
            ("INSERT: id[integer]:1 name[text]:'it''s id[integer]:9' n[numeric]:1.5", rows(&["1"])),
            ("INSERT: tags[text[]]:'{a,b}' \"a]\"\"b\"[public.\"x]y\"]:null id[text]:'é '' x'", rows(&["é ' x"])),
            ("UPDATE: id[uuid]:'u-1' big[text]:unchanged-toast-datum b[bit(2)]:B'01'", rows(&["u-1"])),
            ("UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 n[text]:null", rows(&["1", "2"])),
            ("UPDATE: old-key: id[text]:'a' new-tuple: id[text]:'a' n[boolean]:true", rows(&["a"])),
            ("DELETE: id[bigint]:-7", rows(&["-7"])),
        ] {
            assert_eq!(ids(&format!("table public.\"My cafes\": {line}")), expected, "{line}");
        }
    }

    #[test]
    fn what_names_no_row_means_everything_and_other_tables_mean_nothing() {
        for line in ["DELETE: (no-tuple-data)", "TRUNCATE: (no-flags)", "UPDATE: n[text]:'x'", "INSERT: id[text]:'x"] {
            assert!(matches!(ids(&format!("table public.\"My cafes\": {line}")), Told::Everything(_)), "{line}");
        }
        for line in
            ["BEGIN 7", "COMMIT 7", "table public.\"My cafes2\": INSERT: id[text]:'x'", "table public.x: DELETE: "]
        {
            assert_eq!(ids(line), Told::Nothing, "{line}");
        }
    }
}
