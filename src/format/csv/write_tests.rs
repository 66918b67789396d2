//! What a page looks like as CSV.

use super::*;
use crate::collection::{Change, Collection, Id, Item, Properties};
use crate::format::tests::stored;
use crate::geometry::Point;
use crate::query::Query;

fn page(items: &[(&str, &str)], query: &Query, fields: &Fields) -> String {
    let collection = Collection::new();
    let put = |(id, properties): &(&str, &str)| {
        let item = Item::new(Id::new(*id).unwrap(), Point::new(1.5, -0.0).unwrap());
        Change::Put(item.with_properties(Properties::from_json(properties).unwrap()))
    };
    collection.apply(1, items.iter().map(put).collect());
    let answer = query.run(&collection.snapshot()).unwrap();
    let mut out = Vec::new();
    (CSV.write_page)(&mut out, &Page { answer: &answer, fields, links: &[], explain: true });
    String::from_utf8(out).unwrap()
}

fn listed(items: &[(&str, &str)], fields: &Fields) -> String {
    page(items, &Query::default(), fields)
}

fn only(names: &[&str]) -> Fields {
    Fields::only(names.iter().map(|&name| name.to_owned()))
}

#[test]
fn columns_are_the_names_of_the_page_as_they_are_met() {
    let items = [("a", r#"{"z":1.50,"t":"x"}"#), ("b", r#"{"t":true,"n":null,"l":[1, "a"]}"#), ("c", "{}")];
    assert_eq!(
        listed(&items, &Fields::all()),
        "id,lat,lon,z,t,n,l\na,1.5,-0.0,1.50,x,,\nb,1.5,-0.0,,true,,\"[1, \"\"a\"\"]\"\nc,1.5,-0.0,,,,\n"
    );
}

#[test]
fn fields_are_the_columns_in_the_order_asked() {
    let items = [("a", r#"{"a":1,"b":2,"c":3}"#), ("b", r#"{"b":"\u00e9"}"#)];
    assert_eq!(listed(&items, &only(&["c", "b", "d", "c"])), "id,lat,lon,c,b,d\na,1.5,-0.0,3,2,\nb,1.5,-0.0,,é,\n");
    assert_eq!(listed(&items, &only(&[])), "id\na\nb\n");
    let hash = listed(&items[1..], &only(&["b", "geohash"]));
    assert!(hash.starts_with("id,lat,lon,b,geohash\nb,1.5,-0.0,é,s0"), "{hash}");
    assert_eq!(hash.lines().nth(1).unwrap().rsplit(',').next().unwrap().len(), 12);
}

#[test]
fn a_distance_has_a_column_where_there_is_one_to_tell() {
    let near = Query::near(Point::new(1.5, 0.0).unwrap());
    assert_eq!(page(&[("a", "{}")], &near, &Fields::all()), "id,distance_m,lat,lon\na,0.000,1.5,-0.0\n");
    assert_eq!(page(&[("a", "{}")], &near, &only(&[])), "id,distance_m\na,0.000\n");
    assert_eq!(page(&[], &near, &Fields::all()), "id,distance_m,lat,lon\n");
}

#[test]
fn names_that_mean_something_else_stand_under_properties() {
    let items = [("a", r#"{"id":1,"Lat":2,"distance_m":3,"ttl":4,"":5,"properties.x":6,"latitude":7}"#)];
    let text = listed(&items, &Fields::all());
    let header = "id,lat,lon,properties.id,properties.Lat,properties.distance_m,properties.ttl,properties.,properties.properties.x,latitude";
    assert_eq!(text, format!("{header}\na,1.5,-0.0,1,2,3,4,5,6,7\n"));
}

#[test]
fn texts_are_quoted_when_they_need_it_and_the_last_of_a_name_counts() {
    let items = [("a,\"b\"", r#"{"a;b":"x\ny","=1":"=1+1","a;b":"\"","h":"\ud800","t":"\t","e":""}"#)];
    assert_eq!(
        listed(&items, &Fields::all()),
        "id,lat,lon,\"a;b\",=1,h,t,e\n\"a,\"\"b\"\"\",1.5,-0.0,\"\"\"\",=1+1,\"\"\"\\ud800\"\"\",\"\t\",\n"
    );
}

#[test]
fn more_names_than_columns_stand_together_in_a_last_one() {
    let member = |at: usize| format!("\"n{at}\":{at}");
    let properties = format!("{{{}}}", (0..COLUMNS_MAX + 2).map(member).collect::<Vec<_>>().join(","));
    let text = listed(&[("a", &properties), ("b", r#"{"n1":"x"}"#)], &Fields::all());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",n999,properties"), "{}", lines[0]);
    assert!(lines[1].ends_with(r#",999,"{""n1000"":1000,""n1001"":1001}""#), "{}", lines[1]);
    assert!(lines[2].ends_with(",,") && lines[2].contains(",x,"), "{}", lines[2]);
    let names: Vec<String> = (0..COLUMNS_MAX + 1).map(|at| format!("n{at}")).collect();
    let text = listed(&[("a", &properties)], &Fields::only(names));
    assert!(text.ends_with(",999,\"{\"\"n1000\"\":1000}\"\n"), "{text}");
}

#[test]
fn one_item_has_a_header_too() {
    let snapshot = stored("a", 1.0, 2.0, r#"{"n":1}"#);
    let hit = AnswerHit { distance_m: None, item: snapshot.get("a").unwrap() };
    let mut out = Vec::new();
    (CSV.write_item)(&mut out, &hit, &Fields::all());
    assert_eq!(String::from_utf8(out).unwrap(), "id,lat,lon,n\na,1.0,2.0,1\n");
}
