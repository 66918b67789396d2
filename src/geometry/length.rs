//! Lengths as people write them, in metres: [`parse_metres`] reads `1500`, `2km` or `0.5 nmi`, and [`Radius`] is one
//! that can be searched with.
//!
//! The surprising part: kilometres are read by shifting the decimal point in the *text*, because multiplying does not
//! keep a promise people take for granted: `1.005 * 1000.0` is 1004.9999999999999, and a radius that includes its own
//! edge must be the same for `1.005km` and `1005`.
//!
//! *Units*: `m`, `km`, `mi` (international mile, 1609.344 m), `ft` (international foot, 0.3048 m), `nmi` (nautical
//! mile, 1852 m). They are written in lower case, since `M` is a nautical mile to some and a megametre to others;
//! spaces around the number and before the unit are welcome.
//!
//! *Accuracy*: metres and kilometres are the nearest `f64` to the decimal text; the others are within one unit in the
//! last place.

use super::error::GeometryError;
use std::str::FromStr;

/// The units but metre and kilometre: name, and metres as a fraction of two whole numbers, both exact in `f64`.
const UNITS: [(&str, f64, f64); 3] = [("mi", 1_609_344.0, 1000.0), ("ft", 3048.0, 10_000.0), ("nmi", 1852.0, 1.0)];

/// The metres in a length such as `1500`, `1500m`, `2km`, `1.2 mi`, `300ft` or `5nmi`.
///
/// The answer is finite, may be negative, and is never -0.
///
/// ```
/// use nigh::geometry::parse_metres;
/// assert_eq!(parse_metres("2.5 km").unwrap(), 2500.0);
/// assert_eq!(parse_metres("1mi").unwrap(), 1609.344);
/// assert!(parse_metres("2 miles").unwrap_err().to_string().contains("unit is not known"));
/// ```
pub fn parse_metres(text: &str) -> Result<f64, GeometryError> {
    let refuse = |reason| GeometryError::Length { text: text.to_owned(), reason };
    let whole = text.trim();
    let number = whole.trim_end_matches(char::is_alphabetic);
    let unit = &whole[number.len()..];
    let number = number.trim_end();
    if number.is_empty() {
        return Err(refuse("there is no number in it"));
    }
    let metres = match unit {
        "" | "m" => decimal(number),
        "km" => kilometres(number),
        _ => {
            let (_, times, over) =
                UNITS.iter().find(|(name, ..)| *name == unit).ok_or_else(|| refuse(unknown(unit)))?;
            decimal(number).map(|value| value * times / over)
        }
    };
    let metres = metres.ok_or_else(|| refuse("the part before the unit is not a decimal number"))?;
    if metres.is_finite() { Ok(metres + 0.0) } else { Err(refuse("it is too large to be a number")) }
}

/// A decimal number: what `f64` reads, without its `inf` and `nan`.
fn decimal(number: &str) -> Option<f64> {
    let foreign = |c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E');
    if number.contains(foreign) { None } else { number.parse().ok() }
}

/// The metres in a decimal number of kilometres, rounded once: three is added to the exponent before reading.
fn kilometres(number: &str) -> Option<f64> {
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    decimal(&format!("{digits}e{}", exponent.saturating_add(3)))
}

fn unknown(unit: &str) -> &'static str {
    let lower = unit.to_lowercase();
    if ["m", "km", "mi", "ft", "nmi"].contains(&lower.as_str()) {
        "units are written in lower case"
    } else {
        "the unit is not known"
    }
}

/// A radius to search with: finite, zero or more metres. Zero asks for the coincident points.
///
/// ```
/// use nigh::geometry::Radius;
/// assert_eq!("2km".parse::<Radius>().unwrap().metres(), 2000.0);
/// assert!(Radius::from_metres(-1.0).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Radius {
    metres: f64,
}

impl Radius {
    /// A radius of so many metres; refused when negative, infinite or not a number. -0 is 0.
    pub fn from_metres(metres: f64) -> Result<Radius, GeometryError> {
        if metres.is_finite() && metres >= 0.0 {
            Ok(Radius { metres: metres + 0.0 })
        } else {
            Err(GeometryError::Radius { metres })
        }
    }

    /// The radius in metres.
    pub fn metres(self) -> f64 {
        self.metres
    }
}

impl FromStr for Radius {
    type Err = GeometryError;

    /// Reads what [`parse_metres`] reads.
    fn from_str(text: &str) -> Result<Radius, GeometryError> {
        Radius::from_metres(parse_metres(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_its_definition_in_metres() {
        for (text, metres) in [
            ("1500", 1500.0),
            ("1500m", 1500.0),
            ("2km", 2000.0),
            ("1mi", 1609.344),
            ("1ft", 0.3048),
            ("5nmi", 9260.0),
            (" 2.5 km ", 2500.0),
            ("1e3km", 1e6),
            ("1E-3 km", 1.0),
            ("+.5m", 0.5),
            ("5.", 5.0),
            ("-3ft", -0.9144),
        ] {
            assert_eq!(parse_metres(text).unwrap(), metres, "{text}");
        }
    }

    #[test]
    fn a_length_in_kilometres_is_the_same_length_in_metres_to_the_bit() {
        for milli in 0..20_000_u32 {
            let km = parse_metres(&format!("{}.{:03}km", milli / 1000, milli % 1000)).unwrap();
            assert_eq!(km.to_bits(), f64::from(milli).to_bits(), "{milli}");
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        for zero in
            [parse_metres("-0").unwrap(), parse_metres("-0.0km").unwrap(), "-0ft".parse::<Radius>().unwrap().metres()]
        {
            assert_eq!(zero.to_bits(), 0.0_f64.to_bits());
        }
        assert_eq!(Radius::from_metres(-0.0).unwrap().metres().to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn what_is_no_length_is_refused_with_its_text_and_a_reason() {
        for (text, reason) in [
            ("", "no number"),
            ("  ", "no number"),
            ("km", "no number"),
            ("inf", "no number"),
            ("NaN", "no number"),
            ("-inf", "unit is not known"),
            ("inf m", "not a decimal number"),
            ("nan km", "not a decimal number"),
            ("2,5km", "not a decimal number"),
            ("1 000 m", "not a decimal number"),
            ("1_000", "not a decimal number"),
            ("0x10", "not a decimal number"),
            ("1e3e2km", "not a decimal number"),
            ("1e999999999999999999km", "too large"),
            ("1e400", "too large"),
            ("1e308km", "too large"),
            ("2KM", "lower case"),
            ("2 miles", "unit is not known"),
            ("2µm", "unit is not known"),
        ] {
            let message = parse_metres(text).unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains(&format!("{text:?}")), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_radius_is_finite_and_not_negative() {
        for metres in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let message = Radius::from_metres(metres).unwrap_err().to_string();
            assert!(message.contains(&format!("radius {metres}")), "{message}");
        }
        assert!("-1km".parse::<Radius>().unwrap_err().to_string().contains("-1000"));
        assert_eq!(Radius::from_metres(f64::MAX).unwrap().metres(), f64::MAX);
    }
}
