//! A sorted set of Redis that `GEOADD` made.
//!
//! What surprises: a position is carried exactly as Redis tells it, which is not quite as it was told to Redis ([`score`]).

use std::collections::HashMap;

use super::super::Failure;
use super::resp::{Address, Value, Wire};
use super::source::{
    Each, Event, Facts, Feed, Kind, Measure, Options, Question, Refused, Row, Source, Trouble, Wanted,
};
use crate::collection::{Id, Item};
use crate::format::Fault;

mod command;
mod replica;
mod score;

/// The registered source.
pub(super) const REDIS: Kind = Kind {
    form: "redis://[:PASSWORD@]HOST[:PORT][/DB]?key=NAME",
    names: |text| text.starts_with("redis://"),
    open: |text, options| Ok(Box::new(Redis::open(text, options)?)),
};

/// Redis measures on a sphere of its own.
const EARTH_RADIUS_M: f64 = 6_372_797.560_856;

/// Half the way round the earth, and a little more.
const EVERYWHERE_M: &str = "20100000";

/// Members that are read, or asked for, together.
const TOGETHER: usize = 1000;

/// Which key it is.
#[derive(Debug, Clone)]
struct Place {
    address: Address,
    database: u32,
    key: Vec<u8>,
}

struct Redis {
    place: Place,
    wire: Option<Wire>,
}

impl Redis {
    fn open(text: &str, options: &Options) -> Result<Redis, Failure> {
        let address = Address::parse(text, 6379)?;
        let named = address.query.iter().find(|(name, _)| name == "key").map(|(_, value)| value.clone());
        if let Some((name, _)) = address.query.iter().find(|(name, _)| name != "key") {
            return Err(Failure::Usage(format!("{text:?}: {name} means nothing here; only key does")));
        }
        let key =
            options.key.clone().or(named).filter(|key| !key.is_empty()).ok_or_else(|| {
                Failure::Usage(format!("{text:?} names no key; write redis://localhost:6379/0?key=NAME"))
            })?;
        let database = match &*address.path {
            "" => 0,
            number => number
                .parse()
                .map_err(|_| Failure::Usage(format!("{text:?}: the database {number:?} is no number; write 0")))?,
        };
        Ok(Redis { place: Place { address, database, key: key.into_bytes() }, wire: None })
    }

    /// The connection, made anew where it broke.
    fn wire(&mut self) -> Result<&mut Wire, Trouble> {
        if self.wire.is_none() {
            let mut wire = Wire::open(&self.place.address)?;
            if self.place.database != 0 {
                wire.ask(&[b"SELECT", self.place.database.to_string().as_bytes()])?;
            }
            self.wire = Some(wire);
        }
        Ok(self.wire.as_mut().expect("just made"))
    }

    /// Does something with the connection, and lets go of it when it broke.
    fn with<T>(&mut self, work: impl FnOnce(&mut Wire, &[u8]) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let key = self.place.key.clone();
        let done = self.wire().and_then(|wire| work(wire, &key));
        if done.is_err() {
            self.wire = None;
        }
        done
    }
}

/// A part of what Redis says about itself, as text.
fn information(wire: &mut Wire, part: &str) -> Result<String, Trouble> {
    let value = wire.ask(&[b"INFO", part.as_bytes()])?;
    Ok(String::from_utf8_lossy(value.text().unwrap_or_default()).into_owned())
}

/// The value of a name in such a text.
fn named<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// A member as text that can be shown.
fn shown(member: &[u8]) -> String {
    member.escape_ascii().to_string()
}

fn id_of(member: &[u8]) -> Result<Id, Refused> {
    let refuse = |code, detail: String| Refused {
        place: format!("member \"{}\"", shown(member)),
        fault: Fault { code, value: Some(shown(member).chars().take(120).collect()), detail, hint: None },
    };
    let text = std::str::from_utf8(member)
        .map_err(|error| refuse("bad-encoding", format!("the byte at {} is not UTF-8", error.valid_up_to())))?;
    Id::new(text).map_err(|error| refuse("bad-id", error.to_string()))
}

/// A member and its score as a row.
fn row_of(member: &[u8], score: f64) -> Row {
    let id = id_of(member)?;
    match score::point_of(score) {
        Some(point) => Ok(Item::new(id, point)),
        None => Err(Refused {
            place: format!("member \"{}\"", shown(member)),
            fault: Fault {
                code: "no-point",
                value: Some(score.to_string()),
                detail: format!("the score {score} is no geohash of 52 bits"),
                hint: Some("add it with GEOADD, not with ZADD".to_owned()),
            },
        }),
    }
}

/// What a score says about a member, as an event.
fn event_of(member: &[u8], score: Option<f64>) -> Event {
    match score.map(|score| row_of(member, score)) {
        Some(Ok(item)) => Event::Put(item),
        Some(Err(refused)) => Event::Refused(id_of(member).ok(), refused),
        None => with_id(member, Event::Remove),
    }
}

/// Something about a member, where its name is possible here.
fn with_id(member: &[u8], event: impl FnOnce(Id) -> Event) -> Event {
    match id_of(member) {
        Ok(id) => event(id),
        Err(refused) => Event::Refused(None, refused),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    std::str::from_utf8(value.text()?).ok()?.parse().ok()
}

impl Source for Redis {
    fn facts(&mut self) -> Result<Facts, Trouble> {
        let place = self.place.clone();
        let key = shown(&place.key);
        self.with(|wire, name| {
            let server = information(wire, "server")?;
            let version = named(&server, "redis_version").unwrap_or("of unknown version").to_owned();
            let kind = wire.ask(&[b"TYPE", name])?;
            let kind = String::from_utf8_lossy(kind.text().unwrap_or_default()).into_owned();
            let mut facts = Facts {
                source: format!("Redis {version} at {}, database {}, key {key}", wire.place(), place.database),
                positions: format!(
                    "as Redis tells them, to the bit. It keeps cells of 52 bits: what GEOADD was given may be 0.15 m farther north or south, and 0.30 m farther east or west at the equator; latitudes end at {}",
                    score::LAT_MAX_DEG
                ),
                ..Facts::default()
            };
            if kind != "zset" {
                facts.obstacles.push(match &*kind {
                    "none" => format!("there is no key {key} in database {}", place.database),
                    kind => format!("the key {key} is a {kind}, not a sorted set as GEOADD makes it"),
                });
                return Ok(facts);
            }
            if let Value::Whole(count) = wire.ask(&[b"ZCARD", name])? {
                facts.rows = u64::try_from(count).ok();
            }
            if let Value::Whole(ms) = wire.ask(&[b"PTTL", name])?
                && ms >= 0
            {
                facts.notes.push(format!("the key ends in {} s; its rows do not, but go when it ends while changes are followed", ms / 1000));
            }
            let known = wire.ask(&[b"COMMAND", b"INFO", b"PSYNC"])?;
            facts.live = known.list().is_some_and(|list| list.iter().any(|entry| entry.list().is_some()));
            facts.live_how = match facts.live {
                true => "as a replica, by PSYNC, which needs a user that may call it. Redis forks once for a dump, from version 7 on an empty one".to_owned(),
                false => "Redis does not offer PSYNC here; both sides are compared until nothing differs".to_owned(),
            };
            facts.notes.push("a key holds no properties; those in other keys are not carried".to_owned());
            Ok(facts)
        })
    }

    fn scan(&mut self, each: Each<'_>) -> Result<(), Trouble> {
        self.with(|wire, key| {
            let mut cursor = b"0".to_vec();
            loop {
                wire.send(&[b"ZSCAN", key, &cursor, b"COUNT", TOGETHER.to_string().as_bytes()])?;
                let page = match wire.value()? {
                    // Something else stands under the key by now: the rows are gone.
                    Value::Error(error) if error.starts_with("WRONGTYPE") => return Ok(()),
                    Value::Error(error) => return Err(Trouble::failed(format!("Redis refuses ZSCAN: {error}"))),
                    value => value,
                };
                let foreign = || Trouble::failed("Redis answers ZSCAN otherwise than documented");
                let Some([next, rows]) = page.list() else { return Err(foreign()) };
                for pair in rows.list().ok_or_else(foreign)?.chunks(2) {
                    let [member, score] = pair else { return Err(foreign()) };
                    let (member, score) = (member.text().ok_or_else(foreign)?, number_of(score).ok_or_else(foreign)?);
                    each(row_of(member, score))?;
                }
                cursor = next.text().ok_or_else(foreign)?.to_vec();
                if cursor == b"0" {
                    return Ok(());
                }
            }
        })
    }

    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble> {
        self.with(|wire, key| {
            let mut found = HashMap::new();
            for ids in ids.chunks(TOGETHER) {
                ids.iter().try_for_each(|id| wire.send(&[b"ZSCORE", key, id.as_str().as_bytes()]))?;
                for id in ids {
                    let score = wire.value()?;
                    if let Some(Ok(item)) = number_of(&score).map(|score| row_of(id.as_str().as_bytes(), score)) {
                        found.insert(id.clone(), item);
                    }
                }
            }
            Ok(found)
        })
    }

    fn feed(&mut self) -> Result<Option<Box<dyn Feed>>, Trouble> {
        Ok(replica::Replica::begin(&self.place)?.map(|replica| Box::new(replica) as Box<dyn Feed>))
    }

    fn measure(&self, _question: &Question) -> Measure {
        Measure::sphere(EARTH_RADIUS_M)
    }

    fn ask(&mut self, question: &Question) -> Result<Option<Vec<String>>, Trouble> {
        let text = |number: f64| number.to_string().into_bytes();
        let (lon, lat) = (text(question.centre.lon_deg()), text(question.centre.lat_deg()));
        self.with(|wire, key| {
            let mut words: Vec<Vec<u8>> =
                [&b"GEOSEARCH"[..], key, b"FROMLONLAT", &lon, &lat, b"BYRADIUS"].map(<[u8]>::to_vec).to_vec();
            match question.wanted {
                Wanted::Within(metres) => words.extend([text(metres), b"m".to_vec(), b"ASC".to_vec()]),
                Wanted::Nearest(k) => {
                    let tail = [EVERYWHERE_M, "m", "ASC", "COUNT", &k.to_string()].map(|word| word.as_bytes().to_vec());
                    words.extend(tail);
                }
            }
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            wire.send(&words)?;
            let value = wire.value()?;
            // An older Redis does not know the command, and none answers from beyond its latitudes: then it is read instead.
            let Some(members) = value.list() else { return Ok(None) };
            let ids = members.iter().filter_map(Value::text).filter_map(|member| id_of(member).ok());
            Ok(Some(ids.map(|id| id.as_str().to_owned()).collect()))
        })
    }
}
