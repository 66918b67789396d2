//! Adding an index kind is one file and its registration: here is such a file, and the proof that nothing else knows
//! kinds by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nigh::collection::{Change, Collection, Id, Item};
use nigh::generate::{GENERATORS, Random};
use nigh::geometry::{Overlap, Point, Radius, Rect};
use nigh::index::{Area, Directory, DirectoryCell, KINDS, Kind, Points, Role, Run, Sorted, Trace};
use nigh::query::{K, Query};

/// The fifth kind: a sieve of one-degree squares, each with the slots in it.
static SIEVE: Kind = Kind {
    name: "sieve",
    summary: "one-degree squares with lists of slots",
    role: Role::Offered,
    build: |sorted: &Sorted| Box::new(Sieve::build(&sorted.points)),
    open: |_, _| None,
};

#[derive(Debug)]
struct Sieve {
    squares: BTreeMap<(i32, i32), Vec<u32>>,
}

impl Sieve {
    fn build(points: &Points) -> Sieve {
        let mut squares: BTreeMap<(i32, i32), Vec<u32>> = BTreeMap::new();
        for slot in points.slots() {
            let [lat, lon] = points.position(slot);
            squares.entry((lat.floor() as i32, lon.floor() as i32)).or_default().push(slot);
        }
        Sieve { squares }
    }

    fn rect(&(south, west): &(i32, i32)) -> Rect {
        let (south, west) = (f64::from(south), f64::from(west));
        Rect::from_corners(south, west, (south + 1.0).min(90.0), (west + 1.0).min(180.0))
            .expect("a square of the sieve")
    }
}

impl Directory for Sieve {
    fn cover(&self, _points: &Points, area: &Area, runs: &mut Vec<Run>, trace: &mut Trace<'_>) {
        for (square, slots) in &self.squares {
            trace.boxes += 1;
            let (overlap, least_chord2) = area.overlap(Sieve::rect(square));
            if overlap != Overlap::Outside {
                let inside = overlap == Overlap::Inside;
                runs.extend(slots.iter().map(|&slot| Run { slots: slot..slot + 1, inside, least_chord2 }));
            }
        }
    }

    fn cells(&self, _points: &Points, frame: Rect, _level: u32, most: usize) -> Vec<DirectoryCell> {
        let touching = self.squares.iter().filter(|(square, _)| frame.overlap(Sieve::rect(square)) != Overlap::Outside);
        let cell = |(square, slots): (&(i32, i32), &Vec<u32>)| DirectoryCell {
            rect: Sieve::rect(square),
            level: 0,
            slots: slots[0]..slots[slots.len() - 1] + 1,
            label: None,
        };
        touching.take(most).map(cell).collect()
    }

    fn bytes(&self) -> usize {
        self.squares.values().map(|slots| size_of_val(slots.as_slice())).sum()
    }
}

#[test]
fn a_fifth_kind_answers_like_the_reference() {
    for generator in GENERATORS {
        let points = (generator.make)(&mut Random::seeded(11), 2_000);
        let collection = Collection::with_kinds([&SIEVE]);
        let put = |(i, &point): (usize, &Point)| Change::Put(Item::new(Id::new(format!("{i}")).unwrap(), point));
        collection.apply(1, points.iter().enumerate().map(put).collect());
        let snapshot = collection.snapshot();
        for centre in points.iter().step_by(100) {
            let near = Query::near(*centre);
            let radius = Radius::from_metres(300_000.0).unwrap();
            for query in [near.clone().within(radius), near.nearest(K::new(20).unwrap())] {
                let expected = query.clone().on(&KINDS[0]).run(&snapshot).unwrap();
                let answer = query.on(&SIEVE).run(&snapshot).unwrap();
                assert!(answer.is_identical_to(&expected), "{} {centre:?}", generator.name);
                assert_eq!(answer.explain.kind, "sieve");
            }
        }
    }
}

#[test]
fn nobody_knows_an_index_kind_by_name_but_its_own_file_and_the_list() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for file in rust_files(&src) {
        let place = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for kind in KINDS.iter().filter(|kind| kind.role != Role::Reference) {
                let own = place == format!("index/{}.rs", kind.name) || place == "index/mod.rs";
                // At the doors, `geohash` is also a condition and a field of its own, whatever the index.
                let own = own
                    || (kind.name == "geohash"
                        && ["http/", "format/", "cli/"].iter().any(|door| place.starts_with(door)));
                if !own && !place.ends_with("_tests.rs") && code.contains(&format!("\"{}\"", kind.name)) {
                    offences.push(format!("src/{place}:{} names {}", number + 1, kind.name));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the sources").map(|entry| entry.expect("an entry").path());
    let nested = entries.map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    nested.flatten().filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
