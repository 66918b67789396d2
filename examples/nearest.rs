//! `nigh` as a library: a data directory, a few cafés, what is near, and the same question on every index kind.
//!
//! `cargo run --example nearest`

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{CollectionName, Engine, Settings};
use nigh::geometry::{Point, Radius};
use nigh::query::{Filter, Query};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("nigh-example-{}", std::process::id()));
    let done = visit(&folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn visit(folder: &std::path::Path) -> Result<(), Failure> {
    // What is acknowledged is on the disk. `Engine::new()` is the same in memory.
    let engine = Engine::open(folder, Settings::default())?;
    let cafes: CollectionName = "cafes".parse()?;
    let mut changes = Vec::new();
    for (id, lat, lon, properties) in [
        ("flore", 48.8541, 2.3326, r#"{"name":"Café de Flore","seats":120}"#),
        ("magots", 48.8540, 2.3331, r#"{"name":"Les Deux Magots","seats":80}"#),
        ("procope", 48.8532, 2.3387, r#"{"name":"Le Procope","seats":200}"#),
        ("central", 48.2104, 16.3655, r#"{"name":"Café Central","seats":160}"#),
    ] {
        let item = Item::new(Id::new(id)?, Point::new(lat, lon)?);
        changes.push(Change::Put(item.with_properties(Properties::from_json(properties)?)));
    }
    let submitted = engine.submit(&cafes, changes)?;
    println!("the last of them was change {}", submitted.seq);

    // Within a kilometre, with a hundred seats and more, nearest first.
    let near = Query::near(Point::new(48.854, 2.333)?).within("1km".parse::<Radius>()?);
    let query = Query { filter: Some(Filter::parse("seats >= 100")?), ..near };
    let answer = engine.ask(&cafes, &query)?;
    println!("{} of {} are near and large enough:", answer.matched, answer.snapshot().len());
    for hit in answer.hits() {
        println!("{:>8.1} m  {:<8} {}", hit.distance_m.unwrap_or_default(), hit.item.id(), hit.item.properties());
    }

    // The answer does not depend on the index.
    for compared in engine.compare(&cafes, &query)? {
        println!("{:<10} answers the same: {}", compared.kind.name, compared.identical);
        assert!(compared.identical);
    }
    engine.close()?; // so that the next start replays nothing
    Ok(())
}
