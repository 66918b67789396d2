//! One ring, checked and laid round the earth: every vertex on its meridian, every edge with the way it turns.
//!
//! The surprising part: nothing is shifted by 360 here. A longitude is brought into (-180, 180], which is exact in
//! `f64` (Sterbenz: `x - 360` is exact for `x` in 180..=360), and an edge remembers as a whole number whether it
//! crosses the 180th meridian. So vertices keep every bit, and "on the boundary" can mean exactly on it.
//!
//! ```text
//!   given   170 ──► 190 ──► 170        given   170 ──► -170 ──► 170
//!   kept    170 ──► -170 (turn +1) ──► 170 (turn -1)      both are one ring
//! ```

use std::cmp::Ordering;

/// A vertex as kept: longitude in (-180, 180], latitude as given, and the longitude as written, for edges of exactly 180.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    pub(super) lon: f64,
    pub(super) lat: f64,
    pub(super) written_lon: f64,
}

/// One edge of a ring. Seen on the unrolled earth it ends at `to.0 + 360 * turn`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Longitude and latitude where it starts.
    pub(super) from: (f64, f64),
    /// Longitude and latitude where it ends.
    pub(super) to: (f64, f64),
    /// How often it crosses the 180th meridian: -1 westwards, 0, or 1 eastwards.
    pub(super) turn: i32,
}

impl Step {
    /// The step between two vertices by the short way round.
    pub(super) fn between(from: Vertex, to: Vertex) -> Step {
        let turn = short_way(from.lon, to.lon, to.written_lon - from.written_lon);
        Step { from: (from.lon, from.lat), to: (to.lon, to.lat), turn }
    }

    /// Whether it ends east of where it starts, or on the same meridian.
    pub(super) fn goes_east(&self) -> bool {
        self.from.0 <= self.to.0 + 360.0 * f64::from(self.turn)
    }
}

/// The longitude in (-180, 180] of the same meridian, exactly, for `lon` in -360..=360.
pub(super) fn on_the_window(lon: f64) -> f64 {
    if lon > 180.0 {
        lon - 360.0
    } else if lon <= -180.0 {
        lon + 360.0
    } else {
        lon
    }
}

/// The vertices of a ring from its `[lon, lat]` positions, the closing one included.
pub(super) fn vertices(positions: &[[f64; 2]]) -> Result<Vec<Vertex>, String> {
    for (at, &[lon, lat]) in positions.iter().enumerate() {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(format!(
                "position {at} [{lon}, {lat}]: latitude {lat} is outside -90..90; longitude comes first"
            ));
        }
        if !(-360.0..=360.0).contains(&lon) {
            return Err(format!("position {at} [{lon}, {lat}]: longitude {lon} is outside -360..360"));
        }
    }
    if positions.len() < 4 {
        let count = positions.len();
        return Err(format!("{count} positions are too few: four or more are needed, the last one equal to the first"));
    }
    let kept = |&[lon, lat]: &[f64; 2]| Vertex { lon: on_the_window(lon) + 0.0, lat: lat + 0.0, written_lon: lon };
    let vertices: Vec<Vertex> = positions.iter().map(kept).collect();
    let (first, last) = (vertices[0], vertices[vertices.len() - 1]);
    if (first.lon, first.lat) != (last.lon, last.lat) {
        let ([lon, lat], [last_lon, last_lat]) = (positions[0], positions[positions.len() - 1]);
        return Err(format!(
            "it is not closed: the first position is [{lon}, {lat}] and the last [{last_lon}, {last_lat}]; \
             repeat [{lon}, {lat}] at the end"
        ));
    }
    refuse_a_vanished_band(&vertices)?;
    Ok(vertices)
}

/// A box round the whole earth drawn with four corners has edges of 360 degrees. By the rule of the short way they have
/// no length and the box has no area, so that an answer would silently be almost empty: it is refused instead.
fn refuse_a_vanished_band(vertices: &[Vertex]) -> Result<(), String> {
    if vertices.iter().any(|vertex| vertex.lon != vertices[0].lon) {
        return Ok(());
    }
    let whole_turn = |pair: &&[Vertex]| pair[0].lat == pair[1].lat && pair[0].written_lon != pair[1].written_lon;
    let Some(pair) = vertices.windows(2).find(whole_turn) else { return Ok(()) };
    let (west, east, lat) = (pair[0].written_lon, pair[1].written_lon, pair[0].lat);
    let middle = (west + east) / 2.0;
    Err(format!(
        "the edge from [{west}, {lat}] to [{east}, {lat}] takes the short way, which is no way at all; to go round the \
         earth put a position between: [{west}, {lat}], [{middle}, {lat}], [{east}, {lat}]"
    ))
}

/// The turn of an edge from `from` to `to`, both in (-180, 180]: the way of less than 180 degrees, and when both ways
/// are exactly 180, the direction in which it was `written`.
pub(super) fn short_way(from: f64, to: f64, written: f64) -> i32 {
    match (against_half_turn(to, from), against_half_turn(from, to)) {
        (Ordering::Greater, _) => -1,
        (_, Ordering::Greater) => 1,
        (Ordering::Equal, _) if written < 0.0 => -1,
        (_, Ordering::Equal) if written > 0.0 => 1,
        _ => 0,
    }
}

/// Compares `a - b` with 180 as if without rounding.
fn against_half_turn(a: f64, b: f64) -> Ordering {
    let difference = a - b;
    let lost = {
        let b_virtual = a - difference;
        let a_virtual = difference + b_virtual;
        (a - a_virtual) + (b_virtual - b)
    };
    // Rounding is monotone, so only a difference that was rounded to 180 itself leaves a question.
    let key = if difference == 180.0 { lost } else { difference - 180.0 };
    key.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

/// How often a ring goes round the axis, eastwards positive. Odd: it separates the poles.
pub(super) fn times_round(steps: &[Step]) -> i32 {
    // The differences of longitude telescope to nothing; what is left are the turns.
    steps.iter().map(|step| step.turn).sum()
}

/// The mean latitude along a ring that goes round, weighted by the longitude covered: so it does not depend on where
/// the vertices are dense, nor on spikes, and lies between the lowest and the highest vertex.
///
/// The area under the ring would be the other natural mean; but where a ring crosses itself that can leave the latitudes
/// of the ring, and a tangle in the north would hold the south pole.
pub(super) fn mean_lat_deg(steps: &[Step]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in steps {
        let covered_deg = ((step.to.0 - step.from.0) + 360.0 * f64::from(step.turn)).abs();
        sum += 0.5 * (step.from.1 + step.to.1) * covered_deg;
        weights += covered_deg;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_is_decided_without_rounding() {
        assert_eq!(short_way(170.0, -170.0, -340.0), 1);
        assert_eq!(short_way(-170.0, 170.0, 340.0), -1);
        assert_eq!(short_way(-90.0, 90.0, 180.0), 0);
        assert_eq!(short_way(90.0, -90.0, -180.0), 0);
        assert_eq!(short_way(-90.0, 90.0, -180.0), -1);
        assert_eq!(short_way(90.0, -90.0, 180.0), 1);
        // 180 and a hair, although the difference rounds to 180.
        let hair = 1e-20;
        assert_eq!(hair + 180.0, 180.0);
        assert_eq!(short_way(-hair, 180.0, 180.0), -1);
        assert_eq!(short_way(hair, 180.0, 180.0), 0);
    }

    #[test]
    fn every_spelling_of_a_meridian_is_kept_exactly() {
        for (given, kept) in
            [(-180.0, 180.0), (180.0, 180.0), (360.0, 0.0), (-360.0, 0.0), (190.0, -170.0), (-190.0, 170.0)]
        {
            assert_eq!(on_the_window(given), kept);
        }
        for step in 1..10_000 {
            let lon = 180.0 + f64::from(step) * 0.017_999_123;
            let kept = on_the_window(lon);
            assert_eq!(kept + 360.0, lon);
        }
    }

    #[test]
    fn the_mean_latitude_does_not_depend_on_the_vertices() {
        let ring = |lons: &[f64]| -> f64 {
            let at = |lon: f64| Vertex {
                lon: on_the_window(lon),
                lat: if on_the_window(lon) > 100.0 { -40.0 } else { 20.0 },
                written_lon: lon,
            };
            let steps: Vec<Step> =
                (0..lons.len()).map(|i| Step::between(at(lons[i]), at(lons[(i + 1) % lons.len()]))).collect();
            assert_eq!(times_round(&steps), 1);
            mean_lat_deg(&steps)
        };
        let plain = ring(&[0.0, 90.0, 101.0, 180.0, 181.0, 270.0]);
        let dense = ring(&[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 90.0, 101.0, 180.0, 181.0, 270.0]);
        approx::assert_abs_diff_eq!(plain, dense, epsilon = 1e-12);
    }
}
