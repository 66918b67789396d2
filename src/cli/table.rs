//! Tables for people: columns that line up, as wide as the terminal and no wider.
//!
//! What surprises: columns are left out rather than broken. What does not fit is named beneath, and all of it is a format away.

use crate::format::{Row, each_member};

/// The longest text of a cell, in characters; and the room where nobody says how wide it is.
const CELL_MAX: usize = 40;
const USUAL_WIDTH: usize = 120;

/// Between two columns.
const GAP: &str = "  ";

const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// A text of JSON without its quotes and escapes, any other value as it stands.
fn shown(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

/// Rows under the names of their columns.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    cells: Vec<String>,
    /// Whether every cell is a number, which stands to the right.
    is_right: bool,
}

impl Table {
    /// A table of columns, each with its name and cells; numbers stand to the right.
    pub(super) fn new(columns: Vec<(String, Vec<String>)>) -> Table {
        let column = |(name, cells): (String, Vec<String>)| {
            let cells: Vec<String> = cells.iter().map(|cell| shortened(cell)).collect();
            let is_right = cells.iter().all(|cell| cell.is_empty() || is_amount(cell));
            Column { name: shortened(&name), cells, is_right }
        };
        Table { columns: columns.into_iter().map(column).collect() }
    }

    /// The table of answers: where they are, how far, and what is known of them.
    pub(super) fn of_rows(rows: &[Row<'_>]) -> Table {
        let column = |name: &str, cell: &dyn Fn(&Row<'_>) -> Option<String>| {
            let cells: Vec<Option<String>> = rows.iter().map(cell).collect();
            let any = cells.iter().any(Option::is_some);
            any.then(|| (name.to_owned(), cells.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()))
        };
        let fixed = [
            column("id", &|row| Some(row.id.to_string())),
            column("distance", &|row| row.distance_m.map(human_distance)),
            column("geohash", &|row| row.geohash.as_ref().map(ToString::to_string)),
            column("lat", &|row| row.position.map(|(lat, _)| lat.to_owned())),
            column("lon", &|row| row.position.map(|(_, lon)| lon.to_owned())),
        ];
        let mut columns: Vec<(String, Vec<String>)> = fixed.into_iter().flatten().collect();
        let first = columns.len();
        for (at, row) in rows.iter().enumerate() {
            let Some(properties) = row.properties.filter(|text| text.trim_start().starts_with('{')) else { continue };
            each_member(properties, |name, value| {
                let name = shown(name);
                let place = columns[first..].iter().position(|(known, _)| *known == name).map(|place| first + place);
                let place = place.unwrap_or_else(|| {
                    columns.push((name, vec![String::new(); rows.len()]));
                    columns.len() - 1
                });
                columns[place].1[at] = if value == "null" { String::new() } else { shown(value) };
            });
        }
        let mut table = Table::new(columns);
        // An id is a name, also where it looks like a number.
        table.columns.iter_mut().take(1).for_each(|id| id.is_right = false);
        table
    }

    /// The lines of the table; none when it has no rows.
    pub(super) fn to_text(&self, in_colour: bool) -> String {
        self.within(terminal_width(), in_colour)
    }

    fn within(&self, width: usize, in_colour: bool) -> String {
        let rows = self.columns.first().map_or(0, |column| column.cells.len());
        let mut text = String::new();
        if rows == 0 {
            return text;
        }
        let wide =
            |column: &Column| column.cells.iter().chain([&column.name]).map(|cell| length(cell)).max().unwrap_or(0);
        let widths: Vec<usize> = self.columns.iter().map(wide).collect();
        let mut end = 0;
        let fits = widths.iter().take_while(|wide| {
            end += **wide + GAP.len();
            end <= width + GAP.len()
        });
        // The first is there whatever happens.
        let shown = fits.count().max(1);
        let mut line = |cell: &dyn Fn(&Column) -> String, begin: &str, after: &str| {
            let padded = self.columns[..shown].iter().zip(&widths).map(|(column, width)| {
                let cell = cell(column);
                let room = " ".repeat(width - length(&cell));
                if column.is_right { format!("{room}{cell}") } else { format!("{cell}{room}") }
            });
            let whole = padded.collect::<Vec<_>>().join(GAP);
            text.push_str(&format!("{begin}{}{after}\n", whole.trim_end()));
        };
        let (begin, after) = if in_colour { (BOLD, PLAIN) } else { ("", "") };
        line(&|column| column.name.clone(), begin, after);
        (0..rows).for_each(|row| line(&|column| column.cells[row].clone(), "", ""));
        if shown < self.columns.len() {
            let left: Vec<&str> = self.columns[shown..].iter().map(|column| column.name.as_str()).collect();
            text.push_str(&format!(
                "not shown: {}\n",
                shortened_to(&left.join(", "), width.saturating_sub(11).max(20))
            ));
        }
        text
    }
}

/// Metres as people say them; sorting them is for the other formats.
pub(super) fn human_distance(metres: &str) -> String {
    match metres.parse::<f64>() {
        Ok(metres) if metres < 999.5 => format!("{metres:.0} m"),
        Ok(metres) if metres < 99_950.0 => format!("{:.2} km", metres / 1000.0),
        Ok(metres) => format!("{:.0} km", metres / 1000.0),
        Err(_) => metres.to_owned(),
    }
}

/// A number, alone or with a unit behind it.
fn is_amount(cell: &str) -> bool {
    let number = cell.split(' ').next().unwrap_or_default();
    number.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && number.bytes().all(|byte| byte.is_ascii_digit() || b".,-+eE%".contains(&byte))
}

fn shortened(cell: &str) -> String {
    shortened_to(cell, CELL_MAX)
}

/// On one line, without what a terminal would obey, and no wider than asked.
fn shortened_to(cell: &str, most: usize) -> String {
    let plain: String = cell.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if length(&plain) <= most {
        return plain;
    }
    let mut kept = String::new();
    for letter in plain.chars() {
        if length(&kept) + length(letter.encode_utf8(&mut [0; 4])) >= most {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

/// How many places a text takes.
fn length(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// How wide the terminal is.
fn terminal_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&columns| columns > 0);
    said.or_else(measured_width).unwrap_or(USUAL_WIDTH)
}

#[cfg(unix)]
fn measured_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

#[cfg(not(unix))]
fn measured_width() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let items = [
            r#"{"id":"a","distance_m":462.780,"lat":48.85341,"lon":2.3488,"properties":{"name":"Paris","people":2138551}}"#,
            r#"{"id":"bcd","distance_m":4745.651,"lat":48.8,"lon":-2,"properties":{"people":27867,"name":"日本"}}"#,
        ];
        let rows: Vec<Row<'_>> = items.iter().map(|item| Row::from_json(item).unwrap()).collect();
        assert_eq!(
            Table::of_rows(&rows).within(80, false),
            "id   distance       lat     lon  name    people\n\
             a       463 m  48.85341  2.3488  Paris  2138551\n\
             bcd   4.75 km      48.8      -2  日本     27867\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_named_beneath() {
        let table = Table::new(vec![
            ("first".to_owned(), vec!["x".repeat(50)]),
            ("second".to_owned(), vec!["\x1b[31mred".to_owned()]),
        ]);
        let narrow = table.within(30, true);
        assert_eq!(narrow, format!("{BOLD}first{PLAIN}\n{}…\nnot shown: second\n", "x".repeat(39)));
        assert!(table.within(200, false).ends_with("…   [31mred\n"), "a terminal is not told to change its colours");
        assert_eq!(Table::of_rows(&[]).within(80, false), "");
    }

    #[test]
    fn distances_read_as_people_say_them() {
        for (metres, said) in [
            ("0.000", "0 m"),
            ("999.4", "999 m"),
            ("999.6", "1.00 km"),
            ("12345.678", "12.35 km"),
            ("20015114.442", "20015 km"),
        ] {
            assert_eq!(human_distance(metres), said);
        }
    }
}
