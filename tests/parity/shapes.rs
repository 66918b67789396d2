//! Boxes and geohashes as their definitions read, without shifting any number.

/// A box as it was given: south, west, north, east.
pub(super) type Corners = [f64; 4];

/// Whether a position lies in a box or on its edge. A box to the east of 180 goes on at -180; the two are one meridian,
/// and a pole is one place.
pub(super) fn box_holds([south, west, north, east]: Corners, lat: f64, lon: f64) -> bool {
    if lat < south || north < lat {
        return false;
    }
    let spellings = if lon.abs() == 180.0 { [180.0, -180.0] } else { [lon, lon] };
    let holds = |lon: f64| {
        if west <= east && east <= 180.0 {
            west <= lon && lon <= east
        } else {
            // From 180 to 540 the difference is exact.
            let east = if east > 180.0 { east - 360.0 } else { east };
            west <= lon || lon <= east
        }
    };
    lat.abs() == 90.0 || spellings.into_iter().any(holds)
}

/// The geohash of a position by halving, as it was published.
pub(super) fn geohash(lat: f64, lon: f64, characters: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let (mut lats, mut lons) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut halve_lon = false;
    let mut bit = || {
        halve_lon = !halve_lon;
        let (range, value) = if halve_lon { (&mut lons, lon) } else { (&mut lats, lat) };
        let middle: f64 = (range.0 + range.1) / 2.0; // exact: at most 30 halvings of 360 or 180
        let upper = value >= middle;
        *(if upper { &mut range.0 } else { &mut range.1 }) = middle;
        usize::from(upper)
    };
    let mut letter = || char::from(ALPHABET[(0..5).fold(0, |bits, _| bits << 1 | bit())]);
    (0..characters).map(|_| letter()).collect()
}

/// Whether a position's own geohash begins with a prefix, in either case.
pub(super) fn geohash_holds(prefix: &str, lat: f64, lon: f64) -> bool {
    geohash(lat, lon, prefix.len()) == prefix.to_lowercase()
}

#[test]
fn the_oracle_knows_published_geohashes() {
    assert_eq!(geohash(57.64911, 10.40744, 11), "u4pruydqqvj");
    assert_eq!(geohash(42.605, -5.603, 5), "ezs42");
}

#[test]
fn the_oracle_knows_boxes_over_the_seam_and_at_poles() {
    assert!(box_holds([-20.0, 176.0, -15.0, -178.0], -17.0, -180.0));
    assert!(!box_holds([-20.0, 176.0, -15.0, -178.0], -17.0, -177.999));
    assert!(box_holds([-20.0, 176.0, -15.0, 182.0], -17.0, -178.0));
    assert!(box_holds([80.0, 1.0, 90.0, 2.0], 90.0, -77.0));
}
