//! From a real PostgreSQL with PostGIS, while it is written to and cut off.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use nigh::generate::Random;
use postgres::Client;
use postgres::error::SqlState;
use serde_json::{Value, json};

use crate::run::{Migration, check, held, run};
use crate::servers::{Database, Stopping};

const TABLE: &str = "CREATE TABLE places(id bigint PRIMARY KEY, geog geography(Point,4326), name text, score double precision, \
    tags json, at timestamptz, price numeric)";

fn fill(client: &mut Client, count: u64) {
    client.batch_execute(TABLE).unwrap();
    let statement = "INSERT INTO places SELECT n, ST_SetSRID(ST_MakePoint((n * 7919 % 36000) / 100.0 - 180 + n * 1e-9, \
        (n * 104729 % 17800) / 100.0 - 89), 4326)::geography, 'no ' || n, n / 3.0, '{\"a\" : [1, 2.50]}', \
        '2026-01-02 03:04:05+00', 1.10 FROM generate_series(1, $1::int8) n";
    client.execute(statement, &[&(count as i64)]).unwrap();
}

/// What PostgreSQL itself says: ids, positions and properties.
fn truth(client: &mut Client) -> BTreeMap<String, (f64, f64, Value)> {
    let rows = client
        .query("SELECT id::text, ST_Y(geog::geometry), ST_X(geog::geometry), name, score FROM places", &[])
        .unwrap();
    let row = |row: &postgres::Row| {
        let properties = json!({"name": row.get::<_, Option<String>>(3), "score": row.get::<_, Option<f64>>(4)});
        (row.get(0), (row.get(1), row.get(2), properties))
    };
    rows.iter().map(row).collect()
}

#[track_caller]
fn assert_same(ours: BTreeMap<String, (f64, f64, String)>, theirs: &BTreeMap<String, (f64, f64, Value)>) {
    let ours: BTreeMap<String, (f64, f64, Value)> = ours
        .into_iter()
        .map(|(id, (lat, lon, text))| {
            let all: Value = serde_json::from_str(&text).unwrap();
            // PostgreSQL writes 334.0 as 334.
            (id, (lat, lon, json!({"name": all["name"], "score": all["score"].as_f64()})))
        })
        .collect();
    assert_eq!(ours.len(), theirs.len());
    assert!(ours == *theirs, "{:?}", ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs));
}

fn write_once(client: &mut Client, random: &mut Random) {
    // Two writers may wait for each other; then PostgreSQL undoes what one of them did.
    if let Err(error) = try_to_write(client, random) {
        assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error}");
    }
}

fn try_to_write(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    let id = 1 + random.below(6000) as i64;
    let (lon, lat) = (random.between(-180.0, 180.0), random.between(-90.0, 90.0));
    let point = "ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326)::geography";
    let put = format!(
        "INSERT INTO places(id, geog, name, score) VALUES ($1, {point}, 'it''s [new]: ' || $1::int8, 0.1) \
         ON CONFLICT (id) DO UPDATE SET geog = excluded.geog, score = places.score + 1"
    );
    match random.below(10) {
        0..=5 => _ = client.execute(&put, &[&id, &lon, &lat])?,
        6..=7 => _ = client.execute("DELETE FROM places WHERE id = $1", &[&id])?,
        8 => {
            // What is rolled back never was.
            let mut transaction = client.transaction()?;
            transaction.execute(&put, &[&id, &lon, &lat])?;
            transaction.execute("DELETE FROM places WHERE id < $1", &[&(id / 2)])?;
            transaction.rollback()?;
        }
        _ => {
            let moved = "UPDATE places SET id = id + 10000 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM places WHERE id = $1 + 10000)";
            client.execute(moved, &[&id])?;
        }
    }
    Ok(())
}

#[test]
fn nothing_is_lost_from_postgis_while_it_is_written_to() {
    let Some(database) = Database::create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = database.connect();
    fill(&mut client, 5000);
    let stop = AtomicBool::new(false);
    let migration = scope(|scope| {
        let _stopping = Stopping(&stop);
        let (database, stop) = (&database, &stop);
        for seed in 0..2 {
            scope.spawn(move || {
                let (mut client, mut random) = (database.connect(), Random::seeded(seed));
                while !stop.load(Ordering::SeqCst) {
                    write_once(&mut client, &mut random);
                }
            });
        }
        let migration = Migration::start(folder.path(), &[&database.url("places"), "-c", "places"]).until_in_step();
        for statement in [
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nigh migrate' AND datname = current_database()",
            "INSERT INTO places SELECT n, 'POINT(1 2)', 'bulk', n FROM generate_series(20000, 22000) n",
            "DELETE FROM places WHERE id > 21000 AND id < 30000",
        ] {
            sleep(Duration::from_millis(500));
            client.batch_execute(statement).unwrap();
        }
        sleep(Duration::from_millis(700));
        migration
    });
    migration.interrupt();
    let ended = migration.end();
    ended.assert_safe(0);
    let theirs = truth(&mut client);
    assert_same(held(folder.path(), "places"), &theirs);
    assert!(theirs.len() > 3000 && ended.json["changes"].as_u64().unwrap() > 100, "{ended:?}");
    let slots: i64 = client
        .query_one("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()", &[])
        .unwrap()
        .get(0);
    assert_eq!(slots, 0, "nothing is left with PostgreSQL");
}

#[test]
fn columns_become_properties_as_they_are() {
    let Some(database) = Database::create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = database.connect();
    fill(&mut client, 3);
    client
        .batch_execute("UPDATE places SET score = 'NaN', tags = NULL, price = 12345678901234567890.10 WHERE id = 2")
        .unwrap();
    let looked = check(folder.path(), &[&database.url("places")]);
    assert_eq!(
        (looked.code, &looked.json["carried"], &looked.json["live"]),
        (Some(0), &3.into(), &true.into()),
        "{looked:?}"
    );
    run(folder.path(), &[&database.url("places"), "--until-synced"]).assert_safe(0);
    let rows = held(folder.path(), "default");
    let properties = r#"{"name":"no 1","score":0.3333333333333333,"tags":{"a" : [1, 2.50]},"at":"2026-01-02T03:04:05+00:00","price":1.10}"#;
    assert_eq!(rows["1"].2, properties);
    assert!(rows["2"].2.contains(r#""score":"NaN","tags":null"#) && rows["2"].2.contains("12345678901234567890.10"));
    client.batch_execute("TRUNCATE places").unwrap();
    run(folder.path(), &[&database.url("places"), "--until-synced", "--replace"]).assert_safe(0);
    assert!(held(folder.path(), "default").is_empty());
}

#[test]
fn a_table_that_is_emptied_while_it_is_followed_is_emptied_here() {
    let Some(database) = Database::create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = database.connect();
    fill(&mut client, 500);
    let migration = Migration::start(folder.path(), &[&database.url("places")]).until_in_step();
    client.batch_execute("TRUNCATE places; INSERT INTO places(id, geog) VALUES (7, 'POINT(7 8)')").unwrap();
    migration.interrupt();
    migration.end().assert_safe(0);
    assert_same(held(folder.path(), "default"), &truth(&mut client));
}

#[test]
fn what_postgis_holds_and_cannot_be_carried_is_told_with_its_value() {
    let Some(database) = Database::create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = database.connect();
    client
        .batch_execute(
            "CREATE TABLE \"Odd places\"(\"the id\" text UNIQUE, geom geometry, note text);
             INSERT INTO \"Odd places\" VALUES
               ('fine', ST_SetSRID(ST_MakePoint(2.35, 48.85), 4326), 'a'),
               ('high', ST_SetSRID(ST_MakePoint(2.35, 48.85, 7), 4326), 'a'),
               ('unsaid', ST_MakePoint(1, 2), 'SRID 0'),
               ('mercator', ST_Transform(ST_SetSRID(ST_MakePoint(2.35, 48.85), 4326), 3857), 'a'),
               ('no place', NULL, ''),
               ('empty', ST_SetSRID('POINT EMPTY'::geometry, 4326), ''),
               ('line', ST_SetSRID('LINESTRING(0 0,1 1)'::geometry, 4326), ''),
               ('far', ST_SetSRID(ST_MakePoint(2, 91), 4326), ''),
               ('nan', ST_SetSRID(ST_MakePoint('NaN', 1), 4326), ''),
               ('infinite', ST_SetSRID(ST_MakePoint('Infinity', 'Infinity'), 3857), ''),
               (E'a\\nb', ST_SetSRID(ST_MakePoint(1, 1), 4326), ''),
               ('', ST_SetSRID(ST_MakePoint(1, 1), 4326), ''),
               (repeat('é', 129), ST_SetSRID(ST_MakePoint(1, 1), 4326), ''),
               (NULL, ST_SetSRID(ST_MakePoint(1, 1), 4326), ''),
               ('long', ST_SetSRID(ST_MakePoint(1, 1), 4326), repeat('x', 65537));",
        )
        .unwrap();
    let url = database.url("%22Odd%20places%22&id=the%20id");
    let ended = run(folder.path(), &[&url, "--until-synced"]);
    ended.assert_safe(3);
    let rejects = ended.rejects(folder.path());
    let codes: BTreeMap<&str, usize> = rejects.iter().fold(BTreeMap::new(), |mut codes, (code, _)| {
        *codes.entry(&**code).or_default() += 1;
        codes
    });
    let expected = [("bad-id", 4), ("bad-latitude", 2), ("bad-longitude", 1), ("bad-properties", 1)];
    assert_eq!(
        codes.clone().into_iter().filter(|(code, _)| *code != "no-point").collect::<Vec<_>>(),
        expected,
        "{rejects:?}"
    );
    assert_eq!(codes["no-point"], 3, "{rejects:?}");
    let rows = held(folder.path(), "default");
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["fine", "high", "mercator", "unsaid"]);
    let (lat, lon, properties) = &rows["mercator"];
    assert!((lat - 48.85).abs() < 1e-9 && (lon - 2.35).abs() < 1e-9, "{lat},{lon}");
    assert_eq!((properties.as_str(), rows["fine"].0.to_bits()), (r#"{"note":"a"}"#, 48.85_f64.to_bits()));
}

#[test]
fn a_table_that_tells_no_changes_is_compared_and_one_without_ids_is_refused() {
    let Some(database) = Database::create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = database.connect();
    client
        .batch_execute(
            "CREATE TABLE plain(code text UNIQUE, geom geometry(Point,4326));
             INSERT INTO plain SELECT 'c' || n, ST_SetSRID(ST_MakePoint(n / 10.0, n / 20.0), 4326) FROM generate_series(1, 500) n;
             CREATE TABLE twice(code text, geom geometry(Point,4326));
             INSERT INTO twice SELECT 'c', ST_SetSRID(ST_MakePoint(n, n), 4326) FROM generate_series(1, 3) n;",
        )
        .unwrap();
    let looked = check(folder.path(), &[&database.url("plain"), "--id", "code"]);
    assert!(
        looked.json["live"] == false && looked.json["live_how"].to_string().contains("replica identity"),
        "{looked:?}"
    );
    let ended = run(folder.path(), &[&database.url("plain"), "--id", "code"]);
    ended.assert_safe(0);
    assert!(ended.json["cut_over"]["say"].as_str().unwrap().starts_with("if nobody wrote to the source"), "{ended:?}");
    for (arguments, reason) in [
        (vec![database.url("plain")], "no column of ids that is known; --id names one"),
        (vec![database.url("twice"), "--id=code".to_owned()], "the id \"c\" stands on more than one row"),
        (vec![database.url("nowhere")], "there is no table nowhere"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["-c", "more"]).collect();
        let refused = run(folder.path(), &arguments);
        assert!(refused.code == Some(1) && refused.log.contains(reason), "{refused:?}");
    }
}
