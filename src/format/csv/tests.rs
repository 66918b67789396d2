//! What a CSV file may look like, and what becomes of each row.

use super::*;

use crate::collection::Properties;
use crate::format::Expires;
use crate::format::lines::ROW_BYTES_MAX;
use crate::geometry::Point;
use std::time::Duration;

#[derive(Debug, PartialEq)]
struct Row {
    id: Option<String>,
    point: Point,
    properties_json: String,
}

fn open<R: Read>(source: R) -> Result<Rows<R>, HeaderError> {
    Rows::read(source, &ReadOptions::default())
}

/// Every text is read in chunks as well, of all sizes, and the rows are the same.
fn read(text: &[u8]) -> Vec<Result<Incoming, Rejected>> {
    let rows: Vec<_> = open(text).unwrap().map(Result::unwrap).collect();
    let sizes = if text.len() < 2000 { vec![1, 2, 5, 13, 40] } else { vec![300_000] };
    for chunk_bytes in sizes {
        let chunked = ChunkedRows::in_chunks_of(chunk_bytes, 4, text, &ReadOptions::default()).unwrap();
        let chunked = crate::format::Rows::of_batches(chunked.collect::<Vec<_>>().into_iter());
        assert!(chunked.map(Result::unwrap).eq(rows.iter().cloned()), "in chunks of {chunk_bytes}");
    }
    rows
}

/// Each row as its properties, or as line and code.
fn told(text: &[u8]) -> Vec<Result<String, (u64, &'static str)>> {
    let told = |row: Result<Incoming, Rejected>| {
        row.map(|row| row.properties.as_json().to_owned()).map_err(|bad| (bad.line, bad.code))
    };
    read(text).into_iter().map(told).collect()
}

fn rows(text: &str) -> Vec<Result<Row, String>> {
    let row = |row: Incoming| Row {
        id: row.id.map(|id| id.as_str().to_owned()),
        point: row.point,
        properties_json: row.properties.as_json().to_owned(),
    };
    read(text.as_bytes()).into_iter().map(|came| came.map(row).map_err(|bad| bad.to_string())).collect()
}

fn good(text: &str) -> Vec<Row> {
    rows(text).into_iter().map(Result::unwrap).collect()
}

fn header_error(text: &str) -> String {
    open(text.as_bytes()).err().unwrap().to_string()
}

#[test]
fn columns_are_found_by_name_in_any_order_and_case() {
    for header in ["lat,lon,id", "Latitude,LONGITUDE,uuid", "y,x,key", " lat , lng , id ", "lat,long,ID"] {
        let row = good(&format!("{header}\n1.5,2.5,a\n")).remove(0);
        assert_eq!(row.id.as_deref(), Some("a"), "{header}");
        assert_eq!(row.point, Point::new(1.5, 2.5).unwrap(), "{header}");
        assert_eq!(row.properties_json, "{}", "{header}");
    }
}

#[test]
fn the_plainest_name_wins_and_the_others_stay_properties() {
    let row = good("x,y,uuid,id,lat,lon\n650000,6860000,u-1,7,48.8,2.3\n").remove(0);
    assert_eq!(row.point, Point::new(48.8, 2.3).unwrap());
    assert_eq!(row.id.as_deref(), Some("7"));
    assert_eq!(row.properties_json, r#"{"x":650000,"y":6860000,"uuid":"u-1"}"#);
}

#[test]
fn coordinates_come_out_bit_for_bit() {
    let row = good("lat,lon\n-0.0,179.99999999999997\n").remove(0);
    assert_eq!(row.point.lat_deg().to_bits(), (-0.0_f64).to_bits());
    assert_eq!(row.point.lon_deg().to_bits(), 180.0_f64.next_down().to_bits());
}

#[test]
fn numbers_stay_numbers_and_keep_their_text() {
    for number in ["4", "-12", "0.10", "1e3", "9007199254740991", "0.12345678901234567890"] {
        assert_eq!(good(&format!("lat,lon,v\n1,2,{number}\n"))[0].properties_json, format!("{{\"v\":{number}}}"));
    }
    for text in ["007", "+49", ".5", "5.", "1e999", "NaN", "inf", "true", "9007199254740993", " 4", "0x10", "1 "] {
        assert_eq!(good(&format!("lat,lon,v\n1,2,{text}\n"))[0].properties_json, format!("{{\"v\":\"{text}\"}}"));
    }
}

#[test]
fn properties_are_json_whatever_they_hold() {
    let row = good("lat,lon,\"a \"\"b\"\"\"\n1,2,\"line\nbreak, \\ \u{7f} \"\"q\"\" \u{1F600}\"\n").remove(0);
    let read: serde_json::Value = serde_json::from_str(&row.properties_json).unwrap();
    assert_eq!(read["a \"b\""], "line\nbreak, \\ \u{7f} \"q\" \u{1F600}");
}

#[test]
fn an_empty_field_is_an_absent_property_and_an_empty_id_is_none() {
    let row = good("id,lat,lon,a,b\n,1,2,,x\n").remove(0);
    assert_eq!(row.id, None);
    assert_eq!(row.properties_json, r#"{"b":"x"}"#);
}

#[test]
fn byte_order_mark_crlf_semicolon_and_tab_are_understood() {
    for text in [
        "\u{feff}name,lat,lon\na,1,2\n",
        "name,lat,lon\r\na,1,2\r\n",
        "name;lat;lon\na;1;2",
        "name\tlat\tlon\r\na\t1\t2",
        "\u{feff}\"name\";\"lat\";\"lon\"\r\n\"a\";\"1\";\"2\"\r\n",
        "lat,lon,name\r\n1,2,a\r\n",
    ] {
        let rows = good(text);
        assert_eq!(rows.len(), 1, "{text:?}");
        assert_eq!(rows[0].properties_json, r#"{"name":"a"}"#, "{text:?}");
    }
}

#[test]
fn a_bad_row_is_refused_with_its_line_and_its_neighbours_live() {
    let cases = [
        ("N/A,2", "line 3: column \"lat\" is \"N/A\", which is no number; write degrees as in 48.857"),
        (
            "\"48,857\",2",
            "line 3: column \"lat\" is \"48,857\", which is no number; write a decimal point, not a comma",
        ),
        ("91,2", "line 3: latitude 91 is outside -90..90; lat and lon look swapped: try lat=2&lon=91"),
        ("1,181", "line 3: longitude 181 is outside -180..180; the same meridian within the range is -179"),
        ("1,nan", "line 3: longitude NaN is outside -180..180"),
        ("1,", "line 3: column \"lon\" is empty; write degrees as in 48.857"),
        ("1", "line 3: 1 fields where the header has 2; leave a field empty rather than out"),
        ("1,2,3", "line 3: 3 fields where the header has 2; quote fields that hold the delimiter"),
    ];
    for (row, message) in cases {
        let rows = rows(&format!("lat,lon\n1,2\n{row}\n3,4\n"));
        assert_eq!(rows.len(), 3);
        assert!(rows[0].is_ok());
        assert_eq!(rows[1].as_ref().unwrap_err(), message);
        assert!(rows[2].is_ok());
    }
}

#[test]
fn bytes_that_are_no_text_cost_only_their_row() {
    let rows = read(b"lat,lon,name\n1,2,\xff\n3,4,b\n");
    let message = "line 2: column \"name\" is not UTF-8; save the file as UTF-8";
    assert_eq!(rows[0].as_ref().unwrap_err().to_string(), message);
    assert_eq!(rows[1].as_ref().unwrap().properties.as_json(), r#"{"name":"b"}"#);
    assert_eq!(told(b"a,b,lat,lon\n\xc3,\xa9,1,2\n"), [Err((2, "bad-encoding"))], "half a character in each field");
}

#[test]
fn line_numbers_survive_blank_lines_quoted_breaks_and_every_line_end() {
    for end in ["\n", "\r\n"] {
        let lines = ["lat,lon,t", "1,2,a", "", "", "x,2,b", "1,2,\"c", "d\"", "y,2,\"e", "", "f\"", "1,2,g", "z,2,h"];
        for tail in ["", end] {
            let text = lines.join(end) + tail;
            let found: Vec<u64> = open(text.as_bytes())
                .unwrap()
                .filter_map(|row| row.unwrap().err().map(|rejected| rejected.line))
                .collect();
            assert_eq!(found, [5, 8, 12], "{text:?}");
        }
    }
    let mixed = "lat,lon\r\n1,2\nx,2\r\n\n\r\ny,2\n";
    let found: Vec<u64> =
        open(mixed.as_bytes()).unwrap().filter_map(|row| row.unwrap().err().map(|bad| bad.line)).collect();
    assert_eq!(found, [3, 6]);
}

#[test]
fn a_header_that_is_too_long_is_not_read_to_its_end() {
    let mut file = std::io::repeat(0).take(1 << 26);
    assert!(open(&mut file).err().unwrap().to_string().starts_with("the header has more than 1 MiB"));
    assert!(file.limit() > 1 << 25, "{} bytes are left", file.limit());
}

#[test]
fn a_header_without_a_coordinate_says_what_it_found() {
    assert_eq!(
        header_error("name,lon\na,1\n"),
        "no column for the latitude: name one of them lat, latitude, y; the first line has name, lon; it must name the columns"
    );
    assert!(header_error("lat,name\n").starts_with("no column for the longitude"));
    assert!(header_error("1.5,2.5,a\n3,4,b\n").contains("the first line has 1.5, 2.5, a; it must name the columns"));
    assert!(header_error("").starts_with("the file is empty"));
    assert!(header_error("lat,lon,a,a\n").starts_with("column \"a\" stands twice in the header"));
    assert!(header_error("lat,lon,a,properties.a\n").starts_with("column \"a\" stands twice in the header"));
    assert!(header_error("lat,lon,\"a\n1,2,3").starts_with("a quote in the header is not closed"));
    assert!(header_error(&format!("lat,lon,{}", "a".repeat(2 << 20))).starts_with("the header has more than 1 MiB"));
    let refused = |bytes: &[u8]| open(bytes).err().unwrap().to_string();
    assert!(refused(b"\xFF\xFEl\0a\0t\0").starts_with("the file is UTF-16; save it as UTF-8"));
    assert!(refused(b"lat,lon,\xff\n").starts_with("the header is not UTF-8"));
}

#[test]
fn a_column_without_a_name_gets_its_number() {
    assert_eq!(good(",lat,lon\n17,1,2\n")[0].properties_json, r#"{"column1":17}"#);
}

#[test]
fn the_source_may_come_in_single_bytes() {
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(1);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }
    let rows: Vec<_> = open(Drip(b"\xEF\xBB\xBFlat,lon\r\n1,2\r\n")).unwrap().collect();
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_source_that_fails_says_so() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    assert!(open(Broken).is_err());
    let mut rows = open(b"lat,lon\n1,2\n".chain(Broken)).unwrap();
    assert!(rows.next().unwrap().is_ok());
    assert!(rows.next().unwrap().is_err());
}

#[test]
fn the_demo_data_is_read_to_the_last_row() {
    let cities = good(crate::generate::CITIES_CSV);
    assert_eq!(cities.len(), crate::generate::cities().len());
    let paris = cities.iter().find(|city| city.id.as_deref() == Some("2988507")).unwrap();
    assert_eq!(paris.properties_json, r#"{"name":"Paris","country":"FR","population":2138551}"#);
    assert_eq!(good(include_str!("../../../data/earthquakes.csv")).len(), 1_707);
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    for text in ["lat,lon", "lat,lon\n", "\n\r\nlat,lon\n\n"] {
        assert_eq!(rows(text), [], "{text:?}");
    }
    assert_eq!(told(b"\n\nlat,lon\n\nx,1\n"), [Err((5, "bad-latitude"))]);
}

#[test]
fn columns_may_be_named_by_the_user_and_so_may_the_delimiter() {
    let options = |lat: &str, lon: &str, id: &str| ReadOptions {
        lat_column: Some(lat.to_owned()),
        lon_column: Some(lon.to_owned()),
        id_column: Some(id.to_owned()),
        delimiter: Some(b'|'),
    };
    let text = "id|lat|North|East|Nr\n7|x|1|2|a,b\n";
    let mut rows = Rows::read(text.as_bytes(), &options("North", "east", "Nr")).unwrap();
    let row = rows.next().unwrap().unwrap().unwrap();
    assert_eq!((row.id.unwrap().as_str(), row.point.lat_deg(), row.point.lon_deg()), ("a,b", 1.0, 2.0));
    assert_eq!(row.properties.as_json(), r#"{"id":7,"lat":"x"}"#);
    for (lat, id) in [("north pole", "Nr"), ("North", "name")] {
        let error = Rows::read(text.as_bytes(), &options(lat, "East", id)).err().unwrap();
        let HeaderError::Unusable(fault) = error else { panic!("{error}") };
        assert_eq!(fault.code, "missing-column");
        assert!(fault.hint.unwrap().contains("id, lat, North, East, Nr"));
    }
    for delimiter in [b'"', b'\n', b'\r', 0, 0xc3] {
        let options = ReadOptions { delimiter: Some(delimiter), ..ReadOptions::default() };
        assert!(Rows::read(&b"lat,lon\n"[..], &options).is_err());
    }
}

#[test]
fn a_delimiter_inside_quotes_is_none() {
    let text = "lat,lon,\"a;b;c;d;e\"\n1,2,x\n";
    assert_eq!(good(text)[0].properties_json, r#"{"a;b;c;d;e":"x"}"#);
}

#[test]
fn a_row_may_say_when_it_ends() {
    let text = "lat,lon,TTL,expires_at\n1,2,90s,\n1,2,,1970-01-01T00:00:01Z\n1,2,,\n1,2,soon,\n1,2,,1970\n1,2,1,1970-01-01T00:00:01Z\n";
    let ends: Vec<_> = read(text.as_bytes()).into_iter().map(|row| row.map(|row| row.expires)).collect();
    assert_eq!(ends[0], Ok(Expires::After(Duration::from_secs(90))));
    assert_eq!((&ends[1], &ends[2]), (&Ok(Expires::At(1000)), &Ok(Expires::Unsaid)));
    for (line, end) in (5..).zip(&ends[3..]) {
        let bad = end.as_ref().unwrap_err();
        assert_eq!((bad.line, bad.code), (line, "bad-expiry"));
    }
    assert_eq!(read(text.as_bytes())[0].as_ref().unwrap().properties, Properties::none());
}

#[test]
fn the_prefix_of_properties_is_taken_off() {
    let text = "id,lat,lon,properties.id,properties.properties.lat,properties.\na,1,2,x,y,z\n";
    assert_eq!(good(text)[0].properties_json, r#"{"id":"x","properties.lat":"y","":"z"}"#);
}

#[test]
fn a_quote_that_is_not_closed_costs_its_line_only() {
    let fine = |name: &str| Ok(format!("{{\"name\":\"{name}\"}}"));
    let head = "lat,lon,name\n1,2,a\n";
    // The quote stays open to the end.
    let text = format!("{head}3,4,\"b\n5,6,c\n7,8,d\n");
    assert_eq!(told(text.as_bytes()), [fine("a"), Err((3, "unclosed-quote")), fine("c"), fine("d")]);
    // The next quote, which opens a field, would close it.
    let text = format!("{head}3,4,\"b\n5,6,c\n7,8,\"d\"\n9,9,\"e\ne\"\n");
    let rows = told(text.as_bytes());
    assert_eq!(rows, [fine("a"), Err((3, "unclosed-quote")), fine("c"), fine("d"), fine("e\\ne")]);
    // On the last line, with and without a line break.
    for end in ["", "\n", "\r\n"] {
        assert_eq!(told(format!("{head}3,4,\"b{end}").as_bytes()), [fine("a"), Err((3, "unclosed-quote"))]);
    }
    // On one line, a quote behind a quote is taken as it stands, as everybody does.
    assert_eq!(told(format!("{head}3,4,\"b\"c\n5,6,d\n").as_bytes()), [fine("a"), fine("bc"), fine("d")]);
}

#[test]
fn a_carriage_return_inside_a_field_is_data() {
    let told_one = |text: &[u8]| told(text).remove(0).unwrap();
    assert_eq!(told_one(b"lat,lon,t\n1,2,a\rb\n"), r#"{"t":"a\rb"}"#);
    assert_eq!(told_one(b"lat,lon,t\n1,2,\"a\r\"\n"), r#"{"t":"a\r"}"#);
    assert_eq!(told_one(b"lat,lon,t\r\n1,2,\"a\r\"\r\n"), r#"{"t":"a\r"}"#);
    assert!(open(&b"lat,lon\r1,2\r3,4\r"[..]).is_err(), "lines that end in CR alone are one line");
}

#[test]
fn a_nul_and_a_mark_inside_the_file_are_data() {
    assert_eq!(told(b"lat,lon,t\n1,2,\0\n"), [Ok(r#"{"t":"\u0000"}"#.to_owned())]);
    assert_eq!(told(b"t,lat,lon\n\"x\n\xEF\xBB\xBFy,1,2\n")[1], Ok("{\"t\":\"\u{feff}y\"}".to_owned()));
    assert_eq!(told(b"id,lat,lon\na\0,1,2\n"), [Err((2, "bad-id"))]);
}

#[test]
fn a_huge_row_is_refused_and_hurts_no_other() {
    let huge = "x".repeat(10 << 20);
    let fine = Ok("{}".to_owned());
    let text = format!("lat,lon,name\n1,2,\n3,4,{huge}\n5,6,\n\"{huge}\n\n7,8,\n");
    let rows = told(text.as_bytes());
    assert_eq!(rows, [fine.clone(), Err((3, "too-long")), fine.clone(), Err((5, "too-long")), fine]);
    let mut rows = open(text.as_bytes()).unwrap();
    while let Some(row) = rows.next() {
        assert!(row.is_ok() && rows.records.held() < 8 * ROW_BYTES_MAX, "{}", rows.records.held());
    }
    let many = format!("lat,lon\n{}\n1,2\n", ",".repeat(ROW_BYTES_MAX - 1));
    assert_eq!(told(many.as_bytes()), [Err((2, "too-many-fields")), Ok("{}".to_owned())]);
    let long = format!("lat,lon,a\n1,2,{}\n", "x".repeat(70_000));
    assert_eq!(told(long.as_bytes()), [Err((2, "bad-properties"))]);
}

#[test]
fn a_file_that_is_read_again_and_again_is_done_in_time() {
    // Each of these lines opens a quote that the next line closes and opens: none of a million is a record.
    let lines = 200_000;
    let text = format!("a,lat,lon\n{}", "\",x\",\"\n".repeat(lines));
    let started = std::time::Instant::now();
    let rows = told(text.as_bytes());
    assert!(rows.iter().all(Result::is_err) && rows.len() > 10);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
