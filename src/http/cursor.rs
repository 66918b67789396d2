//! A cursor as clients hold it: where the page before ended, and of which query that page was.
//!
//! ```text
//! i616263-9a2f0c1e      behind the id "abc", in the query with the identity 9a2f0c1e
//! ```
//!
//! What surprises: the query is not in it, only a hash. The next page is the request made again with a cursor, so it is known which
//! query that is; all there is to find out is whether it is the same.

use super::error::{Code, Refusal};
use crate::query::{Cursor, Query};

const HINT: &str = "take the next link whole, and change nothing in it but limit, fields, f, index and explain; or leave the \
                    cursor out for the first page";

/// The text of a cursor that goes on with a query.
pub(super) fn written(cursor: &Cursor, query: &Query, collection: u32) -> String {
    format!("{cursor}-{:08x}", query.identity(collection))
}

/// The query from where a cursor says, when the cursor is one of its own.
pub(super) fn read(text: &str, query: Query, collection: u32) -> Result<Query, Refusal> {
    let Some((cursor, identity)) = text.rsplit_once('-') else {
        // What cannot be read at all is told as that.
        text.parse::<Cursor>()?;
        return Err(Refusal::new(Code::BadCursor, "the cursor does not say which query it belongs to").hint(HINT));
    };
    let cursor = cursor.parse::<Cursor>()?;
    if identity != format!("{:08x}", query.identity(collection)) {
        return Err(Refusal::new(
            Code::BadCursor,
            "the cursor belongs to another query, or to a collection that was dropped and made anew since",
        )
        .hint(HINT));
    }
    Ok(query.after(cursor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

    #[test]
    fn a_cursor_leads_on_in_its_own_query_and_in_no_other() {
        let query = |lat| Query::near(Point::new(lat, 2.0).unwrap());
        let cursor: Cursor = "d40e1720a8c280304000000000000000132393735353336".parse().unwrap();
        let text = written(&cursor, &query(1.0), 7);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{text}");
        assert_eq!(read(&text, query(1.0), 7).unwrap().cursor, Some(cursor.clone()));
        for (other, collection) in [(query(1.5), 7), (query(1.0), 8), (Query::default(), 7)] {
            let refusal = read(&text, other, collection).unwrap_err();
            assert_eq!(refusal.code, Code::BadCursor);
            assert!(refusal.detail().contains("another query"), "{}", refusal.detail());
        }
        let old = read(&cursor.to_string(), query(1.0), 7).unwrap_err();
        assert!(old.detail().contains("does not say which query"), "{}", old.detail());
        for broken in ["", "-", "x", "i61-", "i6-00000000", "i61-é"] {
            assert_eq!(read(broken, Query::default(), 7).unwrap_err().code, Code::BadCursor, "{broken}");
        }
    }
}
