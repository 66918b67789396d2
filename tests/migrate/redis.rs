//! From a real Redis, while it is written to, cut off and renamed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use nigh::generate::Random;

use crate::run::{Migration, check, held, run};
use crate::servers::{Redis, RedisClient, Stopping};
use crate::service::Service;

fn position(random: &mut Random) -> (String, String) {
    (format!("{:.7}", random.between(-180.0, 180.0)), format!("{:.7}", random.between(-85.0, 85.0)))
}

fn fill(redis: &mut RedisClient, key: &str, count: usize) {
    let mut random = Random::seeded(1);
    for number in 0..count {
        let (lon, lat) = position(&mut random);
        redis.send(&["GEOADD", key, &lon, &lat, &format!("m{number}")]);
    }
    (0..count).for_each(|_| _ = redis.answer());
}

/// What Redis itself says its members and their positions are.
fn truth(redis: &mut RedisClient, key: &str) -> BTreeMap<String, (f64, f64)> {
    let members = redis.ask(&["ZRANGE", key, "0", "-1"]);
    let mut found = BTreeMap::new();
    for members in members.chunks(500) {
        let mut words: Vec<Vec<u8>> = vec![b"GEOPOS".to_vec(), key.into()];
        words.extend(members.iter().cloned());
        let positions = redis.ask(&words);
        for (member, position) in members.iter().zip(positions.chunks(2)) {
            let number = |text: &[u8]| std::str::from_utf8(text).unwrap().parse::<f64>().unwrap();
            found.insert(String::from_utf8(member.clone()).unwrap(), (number(&position[1]), number(&position[0])));
        }
    }
    found
}

#[track_caller]
fn assert_same(ours: &BTreeMap<String, (f64, f64, String)>, theirs: &BTreeMap<String, (f64, f64)>) {
    assert_eq!(ours.len(), theirs.len());
    for (id, (lat, lon, properties)) in ours {
        let (their_lat, their_lon) = theirs[id];
        // Redis writes 17 digits behind the point.
        let is_same = |ours: f64, theirs: f64| ours == theirs || (ours - theirs).abs() < 1e-17;
        assert!(is_same(*lat, their_lat) && is_same(*lon, their_lon), "{id}: {lat},{lon} and {:?}", theirs[id]);
        assert_eq!(properties, "{}");
    }
}

/// Everything that may happen to a key, by the number of what is drawn.
fn write_once(redis: &mut RedisClient, random: &mut Random) {
    let member = format!("m{}", random.below(6000));
    let (lon, lat) = position(random);
    match random.below(20) {
        0..=7 => _ = redis.ask(&["GEOADD", "places", &lon, &lat, &member]),
        8..=10 => _ = redis.ask(&["ZREM", "places", &member]),
        11 => _ = redis.ask(&["GEOADD", "places", "NX", &lon, &lat, &member]),
        12 => _ = redis.ask(&["GEOADD", "places", "XX", "CH", &lon, &lat, &member]),
        13 => _ = redis.ask(&["ZADD", "places", "XX", "GT", &format!("{}", random.below(1 << 52)), &member]),
        14 => {
            // A member that is there, so that its score stays a cell.
            let there = redis.ask(&["ZRANDMEMBER", "places"]);
            let score = there.first().map(|member| redis.ask(&[&b"ZSCORE"[..], b"places", member]));
            let score: f64 =
                score.and_then(|score| String::from_utf8(score[0].clone()).ok()?.parse().ok()).unwrap_or(0.0);
            if score > 10.0 {
                redis.ask(&[&b"ZINCRBY"[..], b"places", b"-1", &there[0]]);
            }
        }
        15 => {
            let script =
                "redis.call('GEOADD',KEYS[1],ARGV[1],ARGV[2],ARGV[3]) return redis.call('ZREM',KEYS[1],ARGV[4])";
            redis.ask(&["EVAL", script, "1", "places", &lon, &lat, &member, &format!("m{}", random.below(6000))]);
        }
        16 => {
            redis.send(&["MULTI"]);
            redis.send(&["GEOADD", "places", &lon, &lat, &member]);
            redis.send(&["ZREM", "places", &format!("m{}", random.below(6000))]);
            redis.send(&["EXEC"]);
            (0..4).for_each(|_| _ = redis.answer());
        }
        17 => {
            redis.say("SELECT 3");
            redis.ask(&["GEOADD", "places", &lon, &lat, "of another database"]);
            redis.say("SELECT 0");
        }
        18 => _ = redis.ask(&["GEOADD", "other", &lon, &lat, &member]),
        _ => _ = redis.ask(&["ZPOPMIN", "other"]),
    }
}

#[test]
fn nothing_is_lost_from_redis_while_it_is_written_to() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fill(&mut redis.connect(), "places", 5000);
    let stop = AtomicBool::new(false);
    let migrated = scope(|scope| {
        let _stopping = Stopping(&stop);
        for seed in 0..2 {
            let (redis, stop) = (&redis, &stop);
            scope.spawn(move || {
                let (mut client, mut random) = (redis.connect(), Random::seeded(seed));
                while !stop.load(Ordering::SeqCst) {
                    write_once(&mut client, &mut random);
                }
            });
        }
        let migration =
            Migration::start(folder.path(), &[&redis.url("places"), "-c", "places", "--json"]).until_in_step();
        let mut client = redis.connect();
        for line in [
            "CLIENT KILL TYPE replica",
            "CLIENT KILL TYPE replica",
            "RENAME places away",
            "RENAME away places",
            // As after a restart: what was missed is not known any more.
            "DEBUG CHANGE-REPL-ID",
            "CLIENT KILL TYPE replica",
            "PEXPIRE places 300",
        ] {
            sleep(Duration::from_millis(400));
            client.say(line);
        }
        sleep(Duration::from_millis(900));
        migration
    });
    migrated.interrupt();
    let ended = migrated.end();
    ended.assert_safe(0);
    let theirs = truth(&mut redis.connect(), "places");
    assert!(!theirs.is_empty() && theirs.len() < 5000, "the key ended, and was written to again: {}", theirs.len());
    assert_same(&held(folder.path(), "places"), &theirs);
    assert!(ended.json["changes"].as_u64().unwrap() > 100, "{ended:?}");
}

#[test]
fn a_whole_key_is_carried_to_the_bit_and_told_about_before() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = redis.connect();
    fill(&mut client, "places", 2000);
    for (lon, lat, member) in [("180", "85.05112878", "corner"), ("-180", "-85.05112878", "café ☕"), ("0", "0", "0")]
    {
        client.ask(&["GEOADD", "places", lon, lat, member]);
    }
    let looked = check(folder.path(), &[&redis.url("places"), "--json"]);
    assert_eq!(
        (looked.code, &looked.json["carried"], &looked.json["live"]),
        (Some(0), &2003.into(), &true.into()),
        "{looked:?}"
    );
    assert!(looked.json["positions"].as_str().unwrap().contains("52 bits"), "{looked:?}");
    assert!(!folder.path().join("nigh-data").exists(), "a look leaves nothing");
    let ended = run(folder.path(), &[&redis.url("places"), "--until-synced", "--json"]);
    ended.assert_safe(0);
    assert_same(&held(folder.path(), "default"), &truth(&mut client, "places"));
    // A second run is refused, and meant it carries what changed and nothing else.
    let again = run(folder.path(), &[&redis.url("places"), "--until-synced"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.log.contains("holds 2003 items; with --replace"), "{again:?}");
    client.say("ZREM places m0 m1 m2");
    client.say("GEOADD places 1 1 m3");
    let again = run(folder.path(), &[&redis.url("places"), "--until-synced", "--replace"]);
    again.assert_safe(0);
    assert_eq!((&again.json["put"], &again.json["removed"]), (&1.into(), &3.into()), "{again:?}");
    assert_same(&held(folder.path(), "default"), &truth(&mut client, "places"));
    // Nothing is left with Redis.
    let info = String::from_utf8(client.say("INFO replication")[0].clone()).unwrap();
    assert!(info.contains("connected_slaves:0"), "{info}");
}

#[test]
fn what_redis_holds_and_cannot_be_carried_is_told_with_its_value() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = redis.connect();
    client.say("GEOADD places 2.35 48.85 fine");
    let long = "x".repeat(257);
    for member in [&b"a\nb"[..], b"\xff\xfe", long.as_bytes(), b""] {
        client.ask(&[&b"GEOADD"[..], b"places", b"1", b"2", member]);
    }
    for (score, member) in [("1.5", "half"), ("-1", "below"), ("1e300", "beyond"), ("inf", "endless")] {
        client.ask(&["ZADD", "places", score, member]);
    }
    let codes = ["bad-encoding", "bad-id", "bad-id", "bad-id", "no-point", "no-point", "no-point", "no-point"];
    let looked = check(folder.path(), &[&redis.url("places")]);
    assert_eq!((looked.code, &looked.json["rejected"]), (Some(3), &8.into()), "{looked:?}");
    assert!(looked.json["reasons"]["no-point"]["examples"].to_string().contains("the score 1.5 is no geohash"));
    let migration = Migration::start(folder.path(), &[&redis.url("places"), "-c", "places"]).until_in_step();
    // One that was fine becomes impossible, and one that was not becomes fine.
    client.say("ZADD places 0.5 fine");
    client.say("GEOADD places 3 4 half");
    migration.interrupt();
    let ended = migration.end();
    ended.assert_safe(3);
    let found: Vec<String> = ended.rejects(folder.path()).into_iter().map(|(code, _)| code).collect();
    assert_eq!(found, codes, "{ended:?}");
    assert_eq!(held(folder.path(), "places").into_keys().collect::<Vec<_>>(), ["half"]);
    for (key, reason) in [("none", "there is no key none"), ("text", "is a string, not a sorted set")] {
        client.say("SET text x");
        let refused = run(folder.path(), &[&redis.url(key), "-c", "more"]);
        assert!(refused.code == Some(1) && refused.log.contains(reason), "{refused:?}");
    }
}

#[test]
fn a_migration_that_was_killed_is_made_again() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = redis.connect();
    fill(&mut client, "places", 3000);
    let migration = Migration::start(folder.path(), &[&redis.url("places")]).until_in_step();
    client.say("GEOADD places 1 1 m1");
    migration.kill();
    client.say("ZREM places m2 m3");
    client.say("GEOADD places 5 5 new");
    let ended = run(folder.path(), &[&redis.url("places"), "--until-synced", "--replace"]);
    ended.assert_safe(0);
    assert_same(&held(folder.path(), "default"), &truth(&mut client, "places"));
}

#[test]
fn a_service_that_is_killed_and_comes_back_gets_everything() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut client = redis.connect();
    fill(&mut client, "places", 3000);
    let data = folder.path().join("data");
    let address = format!("127.0.0.1:{}", crate::servers::free_port());
    let serve = || {
        let command = std::process::Command::new(env!("CARGO_BIN_EXE_nigh"));
        Service::run(command, &data, &["--no-demo", "--listen", &address])
    };
    let service = serve();
    let url = format!("http://{address}");
    let migration =
        Migration::start(folder.path(), &[&redis.url("places"), "-c", "places", "--url", &url]).until_in_step();
    service.kill();
    client.say("ZREM places m1 m2");
    client.say("GEOADD places 5 5 new");
    sleep(Duration::from_millis(500));
    let service = serve();
    client.say("GEOADD places 6 6 newer");
    migration.interrupt();
    let ended = migration.end();
    ended.assert_safe(0);
    let found = service.get("/collections/places/items?f=json&limit=10000").fine();
    assert_eq!(found["matched"], 3000);
    let theirs = truth(&mut client, "places");
    let ours = found["items"].as_array().unwrap().iter().map(|item| {
        let number = |name: &str| item[name].as_f64().unwrap();
        (item["id"].as_str().unwrap().to_owned(), (number("lat"), number("lon"), item["properties"].to_string()))
    });
    assert_same(&ours.collect(), &theirs);
}

#[test]
fn what_somebody_else_changed_here_is_a_difference() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fill(&mut redis.connect(), "places", 300);
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let migration =
        Migration::start(folder.path(), &[&redis.url("places"), "-c", "places", "--url", &url]).until_in_step();
    assert_eq!(service.put("/collections/places/items/m7", r#"{"lat":1,"lon":2}"#).status, 200);
    assert_eq!(service.put("/collections/places/items/more", r#"{"lat":1,"lon":2}"#).status, 201);
    assert_eq!(service.delete("/collections/places/items/m8").status, 204);
    migration.interrupt();
    let ended = migration.end();
    assert_eq!((ended.code, &ended.json["validation"]["differing"]), (Some(4), &3.into()), "{ended:?}");
    assert!(ended.log.contains("not safe to cut over: 3 rows differ"), "{ended:?}");
    let examples = ended.json["validation"]["examples"].to_string();
    assert!(examples.contains("m8: ") && examples.contains("absent here"), "{ended:?}");
}
