//! What a command of the replication stream does to one sorted set.
//!
//! What surprises: only what says the whole truth by itself is taken at its word: a plain `ZADD`, and `ZREM`. Of a command that depends on what was there,
//! such as `ZADD NX` or `ZINCRBY`, only the members are taken, and the source is asked for them later. Everything else that names the
//! key, known or not, has both sides compared. So a command that we have never heard of cannot make the sides differ.

/// What a command tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told<'a> {
    Put(&'a [u8], f64),
    Remove(&'a [u8]),
    Look(&'a [u8]),
    Everything(String),
}

/// What a command tells of a key; `here`: whether it runs on the key's own database.
pub(super) fn told<'a>(words: &[&'a [u8]], key: &[u8], here: bool) -> Vec<Told<'a>> {
    let Some((command, rest)) = words.split_first() else { return Vec::new() };
    let name = String::from_utf8_lossy(command).to_uppercase();
    let is_key = rest.first() == Some(&key);
    let names_it = rest.contains(&key);
    let everything = || vec![Told::Everything(format!("{name} may have changed all rows"))];
    match &*name {
        "FLUSHALL" | "SWAPDB" => everything(),
        "FLUSHDB" if here => everything(),
        // These reach over to another database.
        "MOVE" | "COPY" if names_it => everything(),
        _ if !here || !names_it => Vec::new(),
        "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT" | "PERSIST" | "PUBLISH" | "SPUBLISH" => Vec::new(),
        "ZADD" if is_key => added(&rest[1..]).unwrap_or_else(everything),
        "GEOADD" if is_key => looks(&rest[1..], 3).unwrap_or_else(everything),
        "ZREM" if is_key => rest[1..].iter().map(|member| Told::Remove(member)).collect(),
        "ZINCRBY" if is_key && rest.len() == 3 => vec![Told::Look(rest[2])],
        // Another key, of which ours is a member or a value.
        "ZADD" | "GEOADD" | "ZREM" | "ZINCRBY" => Vec::new(),
        _ => everything(),
    }
}

const OPTIONS: &[&str] = &["NX", "XX", "GT", "LT", "CH", "INCR"];

/// Words without the options at their beginning, and whether one of those makes the command depend on what was there.
fn without_options<'a, 'b>(mut words: &'b [&'a [u8]]) -> (&'b [&'a [u8]], bool) {
    let mut depends = false;
    while let Some(word) = words.first() {
        let Some(option) = OPTIONS.iter().find(|option| word.eq_ignore_ascii_case(option.as_bytes())) else { break };
        depends |= *option != "CH";
        words = &words[1..];
    }
    (words, depends)
}

fn added<'a>(words: &[&'a [u8]]) -> Option<Vec<Told<'a>>> {
    let (pairs, depends) = without_options(words);
    if depends || !pairs.len().is_multiple_of(2) {
        return looks(words, 2);
    }
    let put = |pair: &[&'a [u8]]| {
        let score = std::str::from_utf8(pair[0]).ok()?.parse().ok()?;
        Some(Told::Put(pair[1], score))
    };
    pairs.chunks(2).map(put).collect()
}

/// The last of every so many words is a member.
fn looks<'a>(words: &[&'a [u8]], group: usize) -> Option<Vec<Told<'a>>> {
    let (words, _) = without_options(words);
    let looks = words.chunks(group).map(|words| Told::Look(words[words.len() - 1])).collect();
    words.len().is_multiple_of(group).then_some(looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, here: bool) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let word = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let told = told(&words, b"k", here);
        let words: Vec<String> = told
            .iter()
            .map(|told| match told {
                Told::Put(member, score) => format!("put {} {score}", word(member)),
                Told::Remove(member) => format!("remove {}", word(member)),
                Told::Look(member) => format!("look {}", word(member)),
                Told::Everything(_) => "everything".to_owned(),
            })
            .collect();
        words.join(", ")
    }

    #[test]
    fn commands_are_taken_at_their_word_only_when_they_say_all() {
        for (line, expected) in [
            ("ZADD k 1 a 2.5e3 b", "put a 1, put b 2500"),
            ("zadd k CH 1 a", "put a 1"),
            ("ZADD k NX 1 a", "look a"),
            ("ZADD k XX GT CH 1 a 2 b", "look a, look b"),
            ("ZADD k INCR 1 a", "look a"),
            ("ZADD k x a", "everything"),
            ("GEOADD k NX 1 2 a 3 4 b", "look a, look b"),
            ("ZINCRBY k 1 a", "look a"),
            ("ZREM k a b", "remove a, remove b"),
            ("DEL x k", "everything"),
            ("RENAME k x", "everything"),
            ("RENAME x k", "everything"),
            ("GEOSEARCHSTORE k x FROMLONLAT 1 2", "everything"),
            ("ZREMRANGEBYRANK k 0 1", "everything"),
            ("NEWCOMMAND x k", "everything"),
            ("FLUSHDB", "everything"),
            ("PEXPIREAT k 1", ""),
            ("DEL x", ""),
            ("ZADD x 1 k", ""),
            ("PING", ""),
        ] {
            assert_eq!(of(line, true), expected, "{line}");
        }
    }

    #[test]
    fn another_database_matters_only_where_commands_reach_over() {
        for (line, expected) in [
            ("ZADD k 1 a", ""),
            ("DEL k", ""),
            ("FLUSHDB", ""),
            ("FLUSHALL", "everything"),
            ("SWAPDB 0 1", "everything"),
            ("MOVE k 0", "everything"),
            ("COPY k k DB 0", "everything"),
        ] {
            assert_eq!(of(line, false), expected, "{line}");
        }
    }
}
