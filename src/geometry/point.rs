//! A position on the earth: [`Point`] as people write it, [`UnitVector`] as distances are reckoned.
//!
//! A unit vector here is the outward normal of the ground: on the sphere that is the direction from the centre; on the
//! ellipsoid it is what geodesists call the n-vector. Both metrics read it, so it is computed once, when a point comes
//! in, and never again.

use super::error::GeometryError;
use super::maths::sin_cos_deg;

/// A WGS84 position in degrees, checked once and then trusted.
///
/// ```
/// use nigh::geometry::Point;
/// let paris = Point::new(48.857, 2.352).unwrap();
/// assert_eq!((paris.lat_deg(), paris.lon_deg()), (48.857, 2.352));
/// assert!(Point::new(151.2, -33.8).unwrap_err().to_string().contains("lat=-33.8&lon=151.2"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    lat_deg: f64,
    lon_deg: f64,
}

impl Point {
    /// A position with `lat_deg` in -90..=90 and `lon_deg` in -180..=180; anything else is refused with a reason.
    pub fn new(lat_deg: f64, lon_deg: f64) -> Result<Point, GeometryError> {
        if !(-90.0..=90.0).contains(&lat_deg) {
            return Err(GeometryError::Latitude { lat_deg, lon_deg });
        }
        if !(-180.0..=180.0).contains(&lon_deg) {
            return Err(GeometryError::Longitude { lon_deg });
        }
        Ok(Point { lat_deg, lon_deg })
    }

    /// Latitude in degrees, exactly as given.
    pub fn lat_deg(self) -> f64 {
        self.lat_deg
    }

    /// Longitude in degrees, exactly as given.
    pub fn lon_deg(self) -> f64 {
        self.lon_deg
    }

    /// The outward normal at this position.
    ///
    /// *Accuracy*: each coordinate within one unit in the last place of 1; exact at the poles and on the axes.
    pub fn unit(self) -> UnitVector {
        let (sin_lat, cos_lat) = sin_cos_deg(self.lat_deg);
        let (sin_lon, cos_lon) = sin_cos_deg(self.lon_deg);
        UnitVector { x: cos_lat * cos_lon, y: cos_lat * sin_lon, z: sin_lat }
    }
}

/// A direction in space: x towards (0, 0), y towards (0, 90° E), z towards the north pole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitVector {
    /// Towards latitude 0, longitude 0.
    pub x: f64,
    /// Towards latitude 0, longitude 90.
    pub y: f64,
    /// Towards the north pole.
    pub z: f64,
}

impl UnitVector {
    /// The squared straight-line distance between two directions, 0 to 4.
    ///
    /// Every distance and every membership test starts from this number, always summed in this order.
    #[inline]
    pub fn chord2(&self, other: &UnitVector) -> f64 {
        let (dx, dy, dz) = (self.x - other.x, self.y - other.y, self.z - other.z);
        dx * dx + dy * dy + dz * dz
    }

    /// The squared length of the sum of two directions: the squared chord to the antipode of `other`.
    #[inline]
    pub fn antipodal_chord2(&self, other: &UnitVector) -> f64 {
        let (sx, sy, sz) = (self.x + other.x, self.y + other.y, self.z + other.z);
        sx * sx + sy * sy + sz * sz
    }

    /// The scalar product.
    #[inline]
    pub fn dot(&self, other: &UnitVector) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The vector product; its length is the sine of the angle between the two.
    #[inline]
    pub fn cross(&self, other: &UnitVector) -> UnitVector {
        UnitVector {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_position_is_refused() {
        for (lat, lon) in [
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
            (90.000_001, 0.0),
            (-91.0, 0.0),
            (0.0, 180.000_001),
            (0.0, f64::INFINITY),
        ] {
            assert!(Point::new(lat, lon).is_err(), "{lat} {lon}");
        }
    }

    #[test]
    fn at_a_pole_every_longitude_is_one_place() {
        for lat in [90.0, -90.0] {
            let pole = Point::new(lat, 0.0).unwrap().unit();
            for lon in [-180.0, -77.7, 1e-9, 123.4, 180.0] {
                assert_eq!(Point::new(lat, lon).unwrap().unit(), pole);
            }
        }
    }

    #[test]
    fn plus_and_minus_180_are_one_meridian() {
        for lat in [-90.0, -12.5, 0.0, 66.6] {
            assert_eq!(Point::new(lat, 180.0).unwrap().unit(), Point::new(lat, -180.0).unwrap().unit());
        }
    }
}
