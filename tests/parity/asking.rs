//! Asks a question of one snapshot in every way there is, and holds the answers against each other and the map.

use std::sync::Arc;

use nigh::collection::Snapshot;
use nigh::generate::Random;
use nigh::index::{KINDS, Kind, Role};
use nigh::query::{Answer, AnswerHit, Cursor, Limit, Query};

use crate::check::{Checked, check, demand};
use crate::model::Model;
use crate::questions::Question;

/// The largest page.
pub(super) const WHOLE: usize = 10_000;

/// Of answers longer than this, most kinds are asked for a page only: sorting them is nearly all that a run would do.
const LONG: usize = 250;

/// One question of one moment, on every kind, whole and in pages.
pub(super) fn ask(question: &Question, snapshot: &Arc<Snapshot>, model: &Model, random: &mut Random) -> Checked {
    demand!(snapshot.len() == model.items.len(), "{} items, not {}", snapshot.len(), model.items.len());
    let query = question.query();
    let whole = pages(&query, snapshot, WHOLE, |_| None)?;
    let hits: Vec<AnswerHit<'_>> = whole.iter().flat_map(Answer::hits).collect();
    check(question, model, &hits, whole[0].matched)?;
    let a_page_will_do = hits.len() > LONG && !random.once_in(6);
    if !a_page_will_do {
        on_every_kind(&query.clone().in_pages_of(limit(WHOLE)), snapshot, &whole[0])?;
    }
    if random.once_in(3) {
        in_small_pages(&query, snapshot, &hits, random)?;
    }
    if a_page_will_do || random.once_in(4) {
        let size = random.magnitude(1.0, 2.0 + hits.len() as f64) as usize;
        let page = run(&query.clone().in_pages_of(limit(size.clamp(1, WHOLE))), snapshot)?;
        on_every_kind(&query.in_pages_of(limit(size.clamp(1, WHOLE))), snapshot, &page)?;
    }
    Ok(())
}

pub(super) fn limit(size: usize) -> Limit {
    Limit::new(size).unwrap()
}

fn run(query: &Query, snapshot: &Arc<Snapshot>) -> Result<Answer, String> {
    let answer = query.run(snapshot).map_err(|refusal| format!("refused: {refusal}"))?;
    explain_is_sane(query, &answer)?;
    Ok(answer)
}

/// Every page from the first to the last; each may be asked of another kind.
fn pages(
    query: &Query,
    snapshot: &Arc<Snapshot>,
    size: usize,
    mut kind: impl FnMut(usize) -> Option<&'static Kind>,
) -> Result<Vec<Answer>, String> {
    let mut query = query.clone().in_pages_of(limit(size));
    let mut pages: Vec<Answer> = Vec::new();
    loop {
        query.kind = kind(pages.len());
        let page = run(&query, snapshot)?;
        if let Some(first) = pages.first() {
            demand!(page.matched == first.matched, "{} matched, then {}", first.matched, page.matched);
        }
        let next = page.next.clone();
        demand!(page.len() == size || next.is_none(), "a page of {} has a next one", page.len());
        demand!(!page.is_empty() || pages.is_empty(), "an empty page was offered");
        pages.push(page);
        match next {
            Some(next) => {
                demand!(query.cursor.as_ref() != Some(&next), "{next:?} leads back to itself");
                query = query.after(through_text(&next)?);
            }
            None => return Ok(pages),
        }
    }
}

/// A cursor as it comes back from a client.
pub(super) fn through_text(cursor: &Cursor) -> Result<Cursor, String> {
    let back: Cursor = cursor.to_string().parse().map_err(|refusal| format!("own cursor refused: {refusal}"))?;
    demand!(back == *cursor, "{cursor:?} came back as {back:?}");
    Ok(back)
}

/// Every kind gives the same page as the kind that the library chose.
fn on_every_kind(query: &Query, snapshot: &Arc<Snapshot>, reference: &Answer) -> Checked {
    for kind in KINDS {
        let answer = run(&query.clone().on(kind), snapshot)?;
        demand!(reference.is_identical_to(&answer), "{} {}", kind.name, difference(reference, &answer));
    }
    Ok(())
}

fn difference(reference: &Answer, answer: &Answer) -> String {
    let parts = |hit: AnswerHit<'_>| format!("{} {:?} {:?}", hit.item.id(), hit.distance_m, hit.item.point());
    let (expected, found): (Vec<_>, Vec<_>) =
        (reference.hits().map(parts).collect(), answer.hits().map(parts).collect());
    let missing: Vec<_> = expected.iter().filter(|hit| !found.contains(hit)).take(3).collect();
    let extra: Vec<_> = found.iter().filter(|hit| !expected.contains(hit)).take(3).collect();
    format!("misses {missing:?}, adds {extra:?}, matched {} of {}", answer.matched, reference.matched)
}

/// Pages of any size, each from another kind, join up to the whole.
fn in_small_pages(query: &Query, snapshot: &Arc<Snapshot>, whole: &[AnswerHit<'_>], random: &mut Random) -> Checked {
    let least = 1 + whole.len() / 8;
    let size = (least + random.magnitude(1.0, 2.0 + whole.len() as f64) as usize - 1).clamp(1, WHOLE);
    let any = |_| random.once_in(2).then(|| &KINDS[random.below(KINDS.len() as u64) as usize]);
    let pages = pages(query, snapshot, size, any)?;
    let joined: Vec<AnswerHit<'_>> = pages.iter().flat_map(Answer::hits).collect();
    let differs = joined.iter().zip(whole).find(|(a, b)| a != b);
    demand!(differs.is_none(), "pages of {size}: {differs:?}");
    demand!(joined.len() == whole.len(), "pages of {size} do not add up to {}", whole.len());
    Ok(())
}

/// The counts fit each other: nothing is found that was not looked at, nothing is looked at that is not there.
fn explain_is_sane(query: &Query, answer: &Answer) -> Checked {
    let explain = answer.explain;
    let segments = answer.snapshot().segments();
    let slots: u64 = segments.iter().map(|segment| segment.points().len() as u64).sum();
    let flat = query.rect.is_none() && query.cell.is_none() && query.polygon.is_none() && query.filter.is_none();
    let listing = query.near.is_none() && flat;
    let asked = query.kind.map_or(explain.kind, |kind| kind.name);
    demand!(explain.kind == asked && !explain.because.is_empty(), "{explain:?}, asked for {asked}");
    demand!(explain.segments == segments.len() as u64, "{explain:?} of {} segments", segments.len());
    demand!(explain.exact_tests <= explain.candidates, "{explain:?}");
    let k_wanted = query.near.as_ref().is_some_and(|near| near.k.is_some());
    // The nearest are looked for once round the centre first, so some slots may count twice.
    demand!(explain.candidates <= if k_wanted { 2 * slots } else { slots }, "{explain:?} of {slots} slots");
    demand!(listing || answer.len() as u64 <= explain.candidates, "{} found, {explain:?}", answer.len());
    demand!(listing || k_wanted || answer.matched <= explain.candidates, "{} matched, {explain:?}", answer.matched);
    if Kind::named(explain.kind).is_some_and(|kind| kind.role == Role::Reference) && !listing && !k_wanted {
        demand!(explain.candidates == slots && explain.exact_tests == slots, "a scan of {slots}: {explain:?}");
    }
    Ok(())
}
