//! `/metrics`: figures about the service, in the text format of Prometheus.
//!
//! What surprises: there is no library for them. What is counted at every request are plain atomics; everything else is looked up
//! when somebody asks, so that no figure can be out of step with what it is about.
//!
//! # Adding a figure
//!
//! An entry in [`SERIES`], and a row in `src/design/operations.md`, which a test holds equal to what is served.

use std::fmt::{Display, Write};
use std::time::UNIX_EPOCH;

use super::access_log::AccessLog;
use super::counters::{BOUNDS, ENDS, Sum};
use super::error::{PROBLEMS, Refusal};
use super::gate::Gate;
use super::reply::Reply;
use super::routes::{Access, Handler, ROUTES, Route};
use super::service::Service;
use crate::collection::Snapshot;
use crate::engine::{CollectionName, Health};

/// The operation. It needs no engine: a start that takes long is worth watching.
pub(super) const PAGE: Route = Route {
    method: "GET",
    path: "/metrics",
    summary: "figures about the service, for Prometheus",
    parameters: &[],
    access: Access::ReadAll,
    answer: Handler::Always(|service| Ok::<_, Refusal>(page(service))),
};

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A figure, or several told apart by labels.
#[derive(Debug)]
pub struct Series {
    /// What it is called.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What tells its figures apart.
    pub labels: &'static [&'static str],
    /// One sentence on what it is.
    pub help: &'static str,
    write: fn(&Service, &mut Rows<'_>),
}

/// Every figure.
pub static SERIES: &[Series] = &[
    Series {
        name: "nigh_build_info",
        kind: "gauge",
        labels: &["version"],
        help: "Always 1; the label says which version runs.",
        write: |_, rows| rows.add(&[env!("CARGO_PKG_VERSION")], 1),
    },
    Series {
        name: "process_start_time_seconds",
        kind: "gauge",
        labels: &[],
        help: "When the process began, in seconds since 1970.",
        write: |service, rows| {
            let since_1970 = service.began().duration_since(UNIX_EPOCH).unwrap_or_default();
            rows.add(&[], since_1970.as_millis() as f64 / 1000.0);
        },
    },
    Series {
        name: "nigh_http_requests_total",
        kind: "counter",
        labels: &["method", "route", "status"],
        help: "Requests that ended, by class of status; gone is a client that did not wait.",
        write: |service, rows| {
            each_route(service, |method, path, sum| {
                for (end, count) in ENDS.iter().zip(sum.ends).filter(|(_, count)| *count > 0) {
                    rows.add(&[method, path, end], count);
                }
            });
        },
    },
    Series {
        name: "nigh_http_request_seconds",
        kind: "histogram",
        labels: &["method", "route"],
        help: "How long requests took until their answer began.",
        write: |service, rows| each_route(service, |method, path, sum| rows.add_histogram(&[method, path], sum)),
    },
    Series {
        name: "nigh_http_in_flight",
        kind: "gauge",
        labels: &[],
        help: "Requests that have come and are not answered, this one among them.",
        write: |service, rows| rows.add(&[], service.counters().in_flight()),
    },
    Series {
        name: "nigh_http_refusals_total",
        kind: "counter",
        labels: &["code"],
        help: "Requests that were refused, by code; too-many-requests are those over the rate limit.",
        write: |service, rows| {
            for problem in PROBLEMS {
                rows.add(&[problem.name], service.counters().refusals(problem.code));
            }
        },
    },
    Series {
        name: "nigh_under_way",
        kind: "gauge",
        labels: &["what"],
        help: "What is under way of what is bounded; bodies are counted in bytes.",
        write: |service, rows| each_gate(service, |what, gate| rows.add(&[what], gate.taken())),
    },
    Series {
        name: "nigh_under_way_max",
        kind: "gauge",
        labels: &["what"],
        help: "How much of it may be under way at once.",
        write: |service, rows| each_gate(service, |what, gate| rows.add(&[what], gate.most())),
    },
    Series {
        name: "nigh_access_log_lost_total",
        kind: "counter",
        labels: &[],
        help: "Lines of the access log that were not written.",
        write: |service, rows| rows.add(&[], service.access_log().map_or(0, AccessLog::lost)),
    },
    Series {
        name: "nigh_state",
        kind: "gauge",
        labels: &["state"],
        help: "1 at the state the service is in, 0 at the others.",
        write: |service, rows| {
            let state = state(service);
            for (at, name) in STATES.iter().enumerate() {
                rows.add(&[name], u8::from(at == state));
            }
        },
    },
    Series {
        name: "nigh_collection_items",
        kind: "gauge",
        labels: &["collection"],
        help: "Items.",
        write: |service, rows| each_collection(service, |name, snapshot| rows.add(&[name.as_str()], snapshot.len())),
    },
    Series {
        name: "nigh_collection_seq",
        kind: "gauge",
        labels: &["collection"],
        help: "The number of the last change.",
        write: |service, rows| each_collection(service, |name, snapshot| rows.add(&[name.as_str()], snapshot.seq())),
    },
    Series {
        name: "nigh_collection_bytes",
        kind: "gauge",
        labels: &["collection", "part"],
        help: "Bytes of each part, in memory and in mapped files.",
        write: |service, rows| {
            each_collection(service, |name, snapshot| {
                for (part, bytes) in snapshot.bytes() {
                    rows.add(&[name.as_str(), &part.replace(' ', "_")], bytes);
                }
            });
        },
    },
];

const STATES: [&str; 6] = ["starting", "ready", "draining", "disk-full", "read-only", "closing"];

fn state(service: &Service) -> usize {
    let Ok(engine) = service.engine() else { return 0 };
    match engine.health() {
        Health::Ready if service.is_draining() => 2,
        Health::Ready => 1,
        Health::DiskFull => 3,
        Health::ReadOnly { .. } => 4,
        Health::Closing => 5,
    }
}

/// Every route that was asked for, and at the end what no route is for.
fn each_route(service: &Service, mut each: impl FnMut(&str, &str, &Sum)) {
    let routes = ROUTES.iter().map(|route| (route.method, route.path)).chain([("", "")]);
    for (at, (method, path)) in routes.enumerate() {
        let sum = service.counters().of(at);
        if sum.begun > 0 {
            each(method, path, &sum);
        }
    }
}

fn each_gate(service: &Service, mut each: impl FnMut(&str, &Gate)) {
    each("heavy questions", service.pool().gate());
    each("bytes of bodies", service.bodies());
    each("uploads", service.uploads());
    each("streams", service.streams());
    each("waiting", service.waiting());
}

fn each_collection(service: &Service, mut each: impl FnMut(&CollectionName, &Snapshot)) {
    let Ok(engine) = service.engine() else { return };
    for name in engine.names() {
        // One that was dropped since is one that is not there.
        if let Ok(snapshot) = engine.snapshot(&name) {
            each(&name, &snapshot);
        }
    }
}

fn page(service: &Service) -> Reply {
    let mut out = String::with_capacity(32 * 1024);
    for series in SERIES {
        let Series { name, kind, help, .. } = series;
        push(&mut out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        (series.write)(service, &mut Rows { out: &mut out, series });
    }
    Reply::new(MEDIA_TYPE, out.into_bytes())
}

/// The rows of a series. Values of labels are ours or names of collections: nothing in them needs escaping.
struct Rows<'a> {
    out: &'a mut String,
    series: &'a Series,
}

impl Rows<'_> {
    fn add(&mut self, values: &[&str], figure: impl Display) {
        self.row("", values, None, figure);
    }

    fn add_histogram(&mut self, values: &[&str], sum: &Sum) {
        let mut so_far = 0;
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (bound, count) in bounds.zip(sum.took) {
            so_far += count;
            self.row("_bucket", values, Some(bound), so_far);
        }
        self.row("_sum", values, None, sum.ns as f64 / 1e9);
        self.row("_count", values, None, so_far);
    }

    fn row(&mut self, suffix: &str, values: &[&str], bound: Option<&str>, figure: impl Display) {
        debug_assert_eq!(values.len(), self.series.labels.len(), "{}", self.series.name);
        let labels = self.series.labels.iter().copied().zip(values.iter().copied());
        let labels: Vec<String> = labels
            .chain(bound.map(|bound| ("le", bound)))
            .map(|(label, value)| format!(r#"{label}="{value}""#))
            .collect();
        push(self.out, format_args!("{}{suffix}", self.series.name));
        if !labels.is_empty() {
            push(self.out, format_args!("{{{}}}", labels.join(",")));
        }
        push(self.out, format_args!(" {figure}\n"));
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text); // a String takes everything
}
