//! Rows that were refused as CSV: where each stood, why, and what it was.
//!
//! What surprises: a row stands in one field, quoted. So whoever mends it finds it as it was, and nothing that was odd about it
//! can make this file odd.

use super::write::write_field;
use crate::format::Rejected;

/// The columns of [`write_rejected`].
pub const REJECTED_HEADER: &[u8] = b"line,code,reason,value,row\n";

/// Appends a refused row.
///
/// ```
/// use nigh::format::{ReadOptions, csv};
/// let rows = csv::Rows::read("id,lat,lon\na,N/A,\"2\"\n".as_bytes(), &ReadOptions::default())?;
/// let mut out = csv::REJECTED_HEADER.to_vec();
/// rows.filter_map(|row| row.unwrap().err()).for_each(|rejected| csv::write_rejected(&mut out, &rejected));
/// let reason = r#""column ""lat"" is ""N/A"", which is no number; write degrees as in 48.857""#;
/// assert_eq!(
///     String::from_utf8(out)?,
///     format!("line,code,reason,value,row\n2,bad-latitude,{reason},N/A,\"a,N/A,\"\"2\"\"\"\n")
/// );
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn write_rejected(out: &mut Vec<u8>, rejected: &Rejected) {
    let Rejected { line, code, value, detail, hint, row } = rejected;
    let reason = match hint {
        Some(hint) => format!("{detail}; {hint}"),
        None => detail.clone(),
    };
    write_field(out, &line.to_string());
    for field in [code, &*reason, value.as_deref().unwrap_or_default(), row.as_deref().unwrap_or_default()] {
        out.push(b',');
        write_field(out, field);
    }
    out.push(b'\n');
}
