//! Which segments to join, by their sizes alone.
//!
//! Small segments appear with every batch; too many of them make every query slower, and joining too eagerly makes
//! every write dearer. The rule: **a segment is joined with all smaller ones as soon as it is not more than
//! [`RATIO`] times as large as they are together.** So, at rest, each segment more than triples the sum of those up to it:
//! ten million points stand in at most fifteen, most of them tiny, and a point is copied about log(n)/log(1.5) times in
//! its life, in small, cached pieces at first. While a large join runs there may be more; see [`at_once`].

/// How much larger than all smaller ones together a segment must be to be left alone.
const RATIO: usize = 2;

/// Joins of up to this many points happen in the write itself: they take less time than handing them over.
pub(super) const AT_ONCE: usize = 4096;

/// How many points a write may join by itself, by how many segments there are: the more have piled up behind a join that
/// takes its time, the more, so that their number grows with the logarithm of what is written meanwhile.
pub(super) fn at_once(segments: usize) -> usize {
    AT_ONCE << (segments.saturating_sub(16) / 4).min(12)
}

/// The most points in one segment: slots are 32-bit numbers.
pub(super) const SEGMENT_MAX: usize = u32::MAX as usize - 1;

/// Picks segments to join from their sizes (live points): the indexes of a group of at least two.
///
/// `spare` counts points that are about to join the smallest ones and are not a segment yet.
pub(super) fn to_join(sizes: &[usize], spare: usize, at_most: usize) -> Vec<usize> {
    let mut by_size: Vec<usize> = (0..sizes.len()).collect();
    by_size.sort_by_key(|&index| sizes[index]);
    let (mut group, mut total, mut due) = (Vec::new(), spare, 0);
    for index in by_size {
        if total + sizes[index] > at_most {
            break;
        }
        let joins = sizes[index] <= RATIO * total;
        group.push(index);
        total += sizes[index];
        if joins {
            due = group.len();
        }
    }
    group.truncate(due);
    if spare == 0 && group.len() < 2 { Vec::new() } else { group }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_at_rest_more_than_triples_the_sum_of_those_up_to_it() {
        assert_eq!(to_join(&[10_000, 3_000, 900, 200], 0, usize::MAX), Vec::<usize>::new());
        assert_eq!(to_join(&[8_000, 2_800, 900, 500], 0, usize::MAX), vec![3, 2, 1, 0]);
        assert_eq!(to_join(&[1_000_000, 2_800, 900, 500], 0, usize::MAX), vec![3, 2, 1]);
        assert_eq!(to_join(&[1_000_000, 2_800, 900, 500], 0, 2_000), vec![3, 2]);
    }

    #[test]
    fn a_batch_joins_what_is_about_its_size() {
        assert_eq!(to_join(&[1_000_000, 4_000, 1], 1, AT_ONCE), vec![2]);
        assert_eq!(to_join(&[1_000_000], 1, AT_ONCE), Vec::<usize>::new());
        assert_eq!(to_join(&[], 1, AT_ONCE), Vec::<usize>::new());
    }

    #[test]
    fn a_million_single_writes_leave_few_segments_and_copy_little() {
        let (mut sizes, mut copied, mut most) = (Vec::new(), 0, 0);
        for _ in 0..1_000_000 {
            let group = to_join(&sizes, 1, usize::MAX);
            let joined: usize = group.iter().map(|&index| sizes[index]).sum();
            copied += joined + 1;
            let mut index = 0;
            sizes.retain(|_| {
                index += 1;
                !group.contains(&(index - 1))
            });
            sizes.push(joined + 1);
            most = most.max(sizes.len());
        }
        assert!(most <= 14, "{most} segments");
        assert!(copied < 40_000_000, "{copied} copies");
    }
}
