//! The demo collections: something to ask about in the first minute.
//!
//! What surprises: they stand up here, above the engine, because they are CSV text and the engine has never heard of formats.
//! They come in as any other rows would.

use crate::collection::Change;
use crate::engine::{CollectionName, Engine, EngineError};
use crate::format::ReadOptions;
use crate::format::csv::Rows;
use crate::generate::CITIES_CSV;

/// Each collection with its rows.
const DEMO: &[(&str, &str)] =
    &[(CollectionName::DEFAULT, CITIES_CSV), ("earthquakes", include_str!("../../data/earthquakes.csv"))];

/// Puts the demo collections into an engine.
pub(super) fn load(engine: &Engine) -> Result<(), EngineError> {
    for (name, csv) in DEMO {
        engine.submit(&name.parse().expect("our own names are names"), changes(csv))?;
    }
    Ok(())
}

fn changes(csv: &str) -> Vec<Change> {
    let rows = Rows::read(csv.as_bytes(), &ReadOptions::default()).expect("our own files have a header");
    rows.map(|row| {
        let row = row.expect("memory does not fail").expect("our own rows are sound");
        Change::Put(row.into_item(|| unreachable!("our own rows have ids"), 0))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_demo_is_an_item() {
        let engine = Engine::new();
        load(&engine).unwrap();
        for ((name, csv), rows) in DEMO.iter().zip([24_323, 1_707]) {
            let snapshot = engine.snapshot(&name.parse().unwrap()).unwrap();
            assert_eq!((snapshot.len(), csv.lines().count()), (rows, rows + 1), "{name}");
        }
    }
}
