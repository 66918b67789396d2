//! Figures as people read them: three digits that matter, thousands apart.

/// A figure with about three digits that matter.
///
/// ```
/// use nigh::measure::figure;
/// assert_eq!([1234.56, 74.49, 3.14159, 0.04567, 0.0].map(figure), ["1\u{202f}235", "74.5", "3.14", "0.046", "0"]);
/// ```
pub fn figure(number: f64) -> String {
    let size = number.abs();
    match size {
        _ if !number.is_finite() => "–".to_owned(),
        _ if size < 0.000_5 => "0".to_owned(),
        _ if size < 1.0 => format!("{number:.3}"),
        _ if size < 9.995 => format!("{number:.2}"),
        _ if size < 99.95 => format!("{number:.1}"),
        _ => grouped(number),
    }
}

/// A number without decimals, its thousands apart.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let after_digit = text.ends_with(|last: char| last.is_ascii_digit());
        if after_digit && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Names as they stand in a sentence: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            format!("{} and {}", most.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "), last.as_ref())
        }
    }
}
