//! From figures to places on a plot: logarithmic where sizes differ by orders of magnitude, with marks at 1, 2 and 5.

use crate::geometry::maths::ln;

/// A logarithmic axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogScale {
    least: f64,
    greatest: f64,
    from: f64,
    to: f64,
}

impl LogScale {
    /// An axis that shows all figures above zero between two places; a little more on either side.
    pub(super) fn over(figures: impl Iterator<Item = f64>, from: f64, to: f64) -> LogScale {
        let sound = figures.filter(|figure| figure.is_finite() && *figure > 0.0);
        let (least, greatest) =
            sound.fold((f64::INFINITY, 0.0_f64), |(least, greatest), figure| (least.min(figure), greatest.max(figure)));
        let (least, greatest) = if greatest > 0.0 { (least, greatest) } else { (1.0, 1.0) };
        LogScale { least: least / 1.25, greatest: greatest * 1.25, from, to }
    }

    /// Where a figure stands; what is not above zero stands at the beginning.
    pub(super) fn place(&self, figure: f64) -> f64 {
        let share = ln(figure.max(self.least) / self.least) / ln(self.greatest / self.least);
        self.from + share.min(1.0) * (self.to - self.from)
    }

    /// Figures to write beside the axis: powers of ten, and 2 and 5 times them where there is room.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let powers = (-9..=12).map(|power| 10.0_f64.powi(power));
        let within = |figure: &f64| (self.least..=self.greatest).contains(figure);
        let fine: Vec<f64> =
            powers.clone().flat_map(|power| [power, 2.0 * power, 5.0 * power]).filter(within).collect();
        if fine.len() <= 6 { fine } else { powers.filter(within).collect() }
    }
}

/// Moves labels apart, so that none stands nearer to its neighbour than `least`, and all stay above `end`.
pub(super) fn apart(mut places: Vec<f64>, least: f64, end: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]));
    for pair in order.windows(2) {
        places[pair[1]] = places[pair[1]].max(places[pair[0]] + least);
    }
    let mut limit = end;
    for &place in order.iter().rev() {
        places[place] = places[place].min(limit);
        limit = places[place] - least;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_are_equal_distances() {
        let scale = LogScale::over([1.0, 1000.0].into_iter(), 0.0, 300.0);
        let step = scale.place(10.0) - scale.place(1.0);
        assert!((scale.place(100.0) - scale.place(10.0) - step).abs() < 1e-9 && step > 0.0);
        assert_eq!(scale.ticks(), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(LogScale::over([3.0].into_iter(), 0.0, 1.0).ticks(), [0.0; 0]);
        assert!(LogScale::over([0.0, f64::NAN].into_iter(), 0.0, 1.0).place(1.0).is_finite());
    }

    #[test]
    fn labels_do_not_cover_each_other() {
        assert_eq!(apart(vec![10.0, 11.0, 50.0], 12.0, 100.0), [10.0, 22.0, 50.0]);
        assert_eq!(apart(vec![95.0, 96.0, 94.0], 12.0, 100.0), [88.0, 100.0, 76.0]);
    }
}
