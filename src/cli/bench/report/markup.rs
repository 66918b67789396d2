//! Text in markup, and how a kind looks: a colour, a shape and a dash, so that no plot depends on colours alone.

use std::fmt::Write;

use crate::measure::{Findings, KindFindings};

/// Text that means nothing but itself, whatever it holds.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Markup has no word for these.
            control if control.is_control() && control != '\n' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// How a kind is drawn: the class of its colour, and which shape marks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) name: &'a str,
    pub(super) class: &'static str,
    shape: usize,
}

/// The look of every kind, in the order of the findings.
pub(super) fn looks(findings: &Findings) -> Vec<Look<'_>> {
    const CLASSES: [&str; 6] = ["k1", "k2", "k3", "k4", "k5", "k6"];
    let mut offered = 0;
    let mut look = |kind: &'_ KindFindings| {
        let (class, shape) = match kind.role {
            "reference" => ("kr", 4),
            "baseline" => ("kb", 5),
            _ => {
                offered += 1;
                (CLASSES[(offered - 1) % CLASSES.len()], (offered - 1) % 4)
            }
        };
        (class, shape)
    };
    findings
        .kinds
        .iter()
        .map(|kind| {
            let (class, shape) = look(kind);
            Look { name: kind.name, class, shape }
        })
        .collect()
}

impl Look<'_> {
    /// The mark of the kind round a place.
    pub(super) fn mark(&self, x: f64, y: f64) -> String {
        let class = self.class;
        let path = |d: String, filled: bool| {
            let way = if filled { "fill" } else { "line" };
            format!(r#"<path class="mark {class} {way}" d="{d}"/>"#)
        };
        let (x, y) = (coordinate(x), coordinate(y));
        match self.shape {
            0 => format!(r#"<circle class="mark {class} fill" cx="{x}" cy="{y}" r="4"/>"#),
            1 => path(format!("M{x} {y}m-3.7-3.7h7.4v7.4h-7.4z"), true),
            2 => path(format!("M{x} {y}m0-4.8l4.6 8h-9.2z"), true),
            3 => path(format!("M{x} {y}m0-5l4.6 5l-4.6 5l-4.6-5z"), true),
            4 => path(format!("M{x} {y}m-4-4l8 8m0-8l-8 8"), false),
            _ => path(format!("M{x} {y}m-4.5 0h9m-4.5-4.5v9"), false),
        }
    }

    /// The mark by itself, for a legend or a table.
    pub(super) fn key(&self) -> String {
        format!(r#"<svg class="key" viewBox="0 0 14 14" aria-hidden="true">{}</svg>"#, self.mark(7.0, 7.0))
    }
}

/// A legend of all kinds.
pub(super) fn legend(looks: &[Look<'_>]) -> String {
    let mut out = String::from(r#"<p class="legend">"#);
    for look in looks {
        let _ = write!(out, "<span>{}{}</span> ", look.key(), escaped(look.name)); // a String takes everything
    }
    out + "</p>"
}

/// A coordinate with one decimal, and none where it is 0.
pub(super) fn coordinate(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A line of text in a plot.
pub(super) fn text(x: f64, y: f64, class: &str, words: &str) -> String {
    format!(r#"<text class="{class}" x="{}" y="{}">{}</text>"#, coordinate(x), coordinate(y), escaped(words))
}

/// A plot with a heading above and words below; `described` is what is told to whoever cannot see it.
pub(super) fn figure(title: &str, described: &str, width: f64, height: f64, drawn: &str, caption: &str) -> String {
    format!(
        r#"<figure><h3>{}</h3><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{drawn}</svg><figcaption>{}</figcaption></figure>"#,
        escaped(title),
        coordinate(width),
        coordinate(height),
        escaped(described),
        escaped(caption)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            escaped("<b a='x' c=\"y\">&\u{0}é</b>"),
            "&lt;b a=&#39;x&#39; c=&quot;y&quot;&gt;&amp;\u{fffd}é&lt;/b&gt;"
        );
    }
}
