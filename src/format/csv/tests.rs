//! What a CSV file may look like, and what becomes of each row.

use super::*;

fn rows(text: &str) -> Vec<Result<Row, String>> {
    let rows = Rows::read(text.as_bytes()).unwrap();
    rows.map(|row| row.unwrap().map_err(|rejected| rejected.to_string())).collect()
}

fn good(text: &str) -> Vec<Row> {
    rows(text).into_iter().map(Result::unwrap).collect()
}

fn header_error(text: &str) -> String {
    Rows::read(text.as_bytes()).err().unwrap().to_string()
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
        ("1,", "line 3: column \"lon\" is \"\", which is no number; write degrees as in 48.857"),
        ("1", "line 3: 1 fields where the header has 2; quote fields that hold the delimiter"),
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
    let rows: Vec<_> = Rows::read(&b"lat,lon,name\n1,2,\xff\n3,4,b\n"[..]).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[0].as_ref().unwrap_err().to_string(), "line 2: column \"name\" is not UTF-8");
    assert_eq!(rows[1].as_ref().unwrap().properties_json, r#"{"name":"b"}"#);
}

#[test]
fn line_numbers_survive_blank_lines_quoted_breaks_and_every_line_end() {
    for end in ["\n", "\r\n"] {
        let lines = ["lat,lon,t", "1,2,a", "", "", "x,2,b", "1,2,\"c", "d\"", "y,2,\"e", "", "f\"", "1,2,g", "z,2,h"];
        for tail in ["", end] {
            let text = lines.join(end) + tail;
            let found: Vec<u64> = Rows::read(text.as_bytes())
                .unwrap()
                .filter_map(|row| row.unwrap().err().map(|rejected| rejected.line))
                .collect();
            assert_eq!(found, [5, 8, 12], "{text:?}");
        }
    }
    let mixed = "lat,lon\r\n1,2\nx,2\r\n\n\r\ny,2\n";
    let found: Vec<u64> =
        Rows::read(mixed.as_bytes()).unwrap().filter_map(|row| row.unwrap().err().map(|bad| bad.line)).collect();
    assert_eq!(found, [3, 6]);
}

#[test]
fn a_header_without_a_coordinate_says_what_it_found() {
    assert_eq!(
        header_error("name,lon\na,1\n"),
        "no column for the latitude: name one of them lat, latitude, y; found name, lon"
    );
    assert!(header_error("lat,name\n").starts_with("no column for the longitude"));
    assert!(header_error("").starts_with("no column for the latitude"));
    assert_eq!(header_error("lat,lon,a,a\n"), "column \"a\" stands twice in the header");
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
    let rows: Vec<_> = Rows::read(Drip(b"\xEF\xBB\xBFlat,lon\r\n1,2\r\n")).unwrap().collect();
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
    assert!(Rows::read(Broken).is_err());
    let mut rows = Rows::read(b"lat,lon\n1,2\n".chain(Broken)).unwrap();
    assert!(rows.next().unwrap().is_ok());
    assert!(rows.next().unwrap().is_err());
}

#[test]
fn the_demo_data_is_read_to_the_last_row() {
    let cities = good(crate::generate::CITIES_CSV);
    assert_eq!(cities.len(), crate::generate::cities().len());
    let paris = cities.iter().find(|city| city.id.as_deref() == Some("2988507")).unwrap();
    assert_eq!(paris.properties_json, r#"{"name":"Paris","country":"FR","population":2138551}"#);
    assert_eq!(good(include_str!("../../data/earthquakes.csv")).len(), 1_707);
}
