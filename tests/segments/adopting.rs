//! Segments written by themselves and taken up at once are as good as the changes they stand for.

use nigh::collection::{Adopted, Change, Collection, SegmentDraft};
use nigh::generate::Random;
use nigh::index::Kind;

use super::{Changes, Folder, assert_same};

/// Puts of distinct ids.
pub(super) fn puts(seed: u64, count: usize, ids: u64) -> Vec<Change> {
    let mut changes = Changes::seeded(seed, ids);
    let mut seen = std::collections::HashSet::new();
    let mut next = || changes.next();
    std::iter::from_fn(|| Some(next()))
        .filter(|change| matches!(change, Change::Put(_)) && seen.insert(change.id().clone()))
        .take(count)
        .collect()
}

fn drafts(puts: &[Change], first_seq: u64, size: usize) -> Vec<SegmentDraft> {
    let numbered: Vec<(u64, &Change)> = (first_seq..).zip(puts).collect();
    let draft = |part: &[(u64, &Change)]| {
        let mut draft = SegmentDraft::new();
        for (seq, change) in part {
            let Change::Put(item) = change else { panic!("{change:?}") };
            draft.push(item, *seq);
        }
        draft
    };
    numbered.chunks(size).map(draft).collect()
}

#[test]
fn adopted_segments_are_as_good_as_the_changes_they_stand_for() {
    let (folder, mut random) = (Folder::new(), Random::seeded(30));
    for before in [0, 3_000] {
        let (own, witness) = (Collection::new(), Collection::new());
        let earlier: Vec<Change> =
            Changes::seeded(31, 6_000).batch().into_iter().chain(puts(32, before, 6_000)).collect();
        let earlier = if before == 0 { Vec::new() } else { earlier };
        own.apply(1, earlier.clone());
        witness.apply(1, earlier.clone());
        let old = (own.snapshot(), witness.snapshot());
        let (first, puts) = (earlier.len() as u64 + 1, puts(33, 5_000, 6_000));
        let last = first + puts.len() as u64 - 1;
        let drafts = drafts(&puts, first, 1_500).into_iter();
        let segments: Vec<_> = drafts.map(|draft| draft.write(&own, &folder.0).unwrap()).collect();
        let adopted = own.adopt(first, last, segments.clone());
        let outcomes = witness.apply(first, puts);
        let count = |wanted| outcomes.iter().filter(|&&outcome| outcome == wanted).count() as u64;
        use nigh::collection::Outcome::{Created, Replaced};
        assert_eq!(adopted, Adopted { created: count(Created), replaced: count(Replaced) });
        assert_same(&own.snapshot(), &witness.snapshot(), &mut random);
        assert_same(&old.0, &old.1, &mut random);
        assert_eq!(own.due(500, 100), witness.due(500, 100));
        // Again is as good as not at all.
        assert_eq!(own.adopt(first, last, segments), Adopted::default());
        let batch = Changes::seeded(34, 6_000).batch();
        assert_eq!(own.apply(last + 1, batch.clone()), witness.apply(last + 1, batch));
        own.settle();
        let checkpoint = own.checkpoint(&folder.0).unwrap();
        let opened = Collection::open(Kind::offered(), &folder.0, checkpoint.manifest).unwrap();
        assert_same(&opened.snapshot(), &witness.snapshot(), &mut random);
    }
}

#[test]
fn drafts_are_written_from_many_threads() {
    let (folder, own) = (Folder::new(), Collection::new());
    let puts = puts(35, 4_000, 9_000);
    let segments: Vec<_> = std::thread::scope(|scope| {
        let write = |draft: SegmentDraft| {
            let (own, folder) = (&own, &folder.0);
            scope.spawn(move || draft.write(own, folder).unwrap())
        };
        let threads: Vec<_> = drafts(&puts, 1, 500).into_iter().map(write).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((segments.len(), folder.names().len()), (8, 8));
    assert_eq!(own.adopt(1, 4_000, segments), Adopted { created: 4_000, replaced: 0 });
    assert_eq!((own.snapshot().seq(), own.snapshot().len()), (4_000, 4_000));
}
