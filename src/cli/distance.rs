//! `nigh distance`: metres between two positions, one figure a line, with all digits.
//!
//! What surprises: a line of standard input that cannot be used leaves an empty line in the output, so that figures and lines
//! stay beside each other; why, goes to standard error.

use std::io::{self, BufRead, BufWriter, Write};

use clap::{Args, FromArgMatches};

use super::{Command, Failure, tell};
use crate::geometry::{METRICS, Metric, Point, metric_named};

/// The registered command.
pub(super) const DISTANCE: Command = Command {
    name: "distance",
    summary: "Print the metres between two positions",
    define: Distance::augment_args,
    run: |matches| distance(&Distance::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Distance {
    /// Pairs of positions in degrees; - reads them from standard input, one pair a line
    #[arg(required = true, value_name = "LAT1,LON1,LAT2,LON2")]
    pairs: Vec<String>,
    /// What metres mean
    #[arg(long, default_value = METRICS[0].name(), value_parser = metric_names())]
    metric: String,
}

fn metric_names() -> clap::builder::PossibleValuesParser {
    METRICS.iter().map(|metric| metric.name()).collect::<Vec<_>>().into()
}

fn distance(asked: &Distance) -> Result<(), Failure> {
    let metric = metric_named(&asked.metric).map_err(|error| Failure::Usage(error.to_string()))?;
    let out = BufWriter::new(io::stdout().lock());
    if asked.pairs == ["-"] {
        return from_lines(io::stdin().lock(), metric, out);
    }
    let mut figures = Vec::with_capacity(asked.pairs.len());
    for text in &asked.pairs {
        figures.push(metres(text, metric).map_err(Failure::Usage)?);
    }
    print(&figures, out).or_else(output_failed)
}

fn print(figures: &[f64], mut out: impl Write) -> io::Result<()> {
    figures.iter().try_for_each(|figure| writeln!(out, "{figure}"))?;
    out.flush()
}

fn from_lines(input: impl BufRead, metric: &dyn Metric, mut out: impl Write) -> Result<(), Failure> {
    let mut rejected = 0;
    for (number, line) in (1..).zip(input.split(b'\n')) {
        let line = line.map_err(|error| Failure::Failed(format!("cannot read line {number}: {error}")))?;
        // What is no text is no number either, and is refused as such.
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        let written = match metres(line, metric) {
            _ if line.trim().is_empty() => writeln!(out),
            Ok(figure) => writeln!(out, "{figure}"),
            Err(reason) => {
                tell(format_args!("line {number}: {reason}"));
                rejected += 1;
                writeln!(out)
            }
        };
        if let Err(error) = written {
            return output_failed(error);
        }
    }
    out.flush().or_else(output_failed)?;
    if rejected == 0 { Ok(()) } else { Err(Failure::RowsRejected(rejected)) }
}

/// Whoever reads the figures may have seen enough.
fn output_failed(error: io::Error) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::Failed(format!("cannot write: {error}"))),
    }
}

/// The metres between the two positions of `LAT1,LON1,LAT2,LON2`.
fn metres(text: &str, metric: &dyn Metric) -> Result<f64, String> {
    let refuse =
        |reason: &str| Err(format!("{text:?} {reason}; write LAT1,LON1,LAT2,LON2 as in 48.857,2.352,51.5,-0.12"));
    let Ok(degrees) = text.split(',').map(|part| part.trim().parse()).collect::<Result<Vec<f64>, _>>() else {
        return refuse("is not numbers");
    };
    let [from_lat, from_lon, to_lat, to_lon] = degrees[..] else { return refuse("is not four numbers") };
    let unit = |lat, lon| Point::new(lat, lon).map(Point::unit).map_err(|error| format!("{text:?}: {error}"));
    Ok(metric.distance_m(&unit(from_lat, from_lon)?, &unit(to_lat, to_lon)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_leave_empty_ones_and_are_counted() {
        let mut out = Vec::new();
        let input = "0,0,0,0\n\nx\n0,0,0,180\n91,0,0,0\n";
        let result = from_lines(input.as_bytes(), METRICS[0], &mut out);
        assert!(matches!(result, Err(Failure::RowsRejected(2))));
        assert_eq!(String::from_utf8(out).unwrap(), "0\n\n\n20015114.442035925\n\n");
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        for (text, reason) in [
            ("1,2,3", "is not four numbers; write LAT1,LON1,LAT2,LON2"),
            ("1,2,3,x", "is not numbers"),
            ("151.2,-33.8,0,0", "lat and lon look swapped"),
            ("nan,0,0,0", "outside -90..90"),
        ] {
            let message = metres(text, METRICS[0]).unwrap_err();
            assert!(message.contains(reason), "{message}");
        }
    }
}
