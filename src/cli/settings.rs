//! The settings of `nigh serve`: one table, from which come flags, variables, names in the file, and what `--print-config` prints.
//!
//! What surprises: every value is text until it is read here, wherever it came from. So a value means the same as a flag, as a variable
//! and in the file, and is refused in the same words.
//!
//! # Adding a setting
//!
//! An entry in [`SETTINGS`], and a row in `src/design/operations.md`, which a test holds equal to the table.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use crate::engine::{Durability, Settings};
use crate::http::{Options, TlsFiles};

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// What it is called: after `--`, and in the file.
    pub name: &'static str,
    /// The variable of the environment.
    pub variable: &'static str,
    /// What its value is; empty for yes or no.
    pub value: &'static str,
    /// What it is when nobody says; empty when it is not set then.
    pub default: &'static str,
    /// One sentence on what it does and when to change it.
    pub help: &'static str,
    pub(super) read: fn(&mut Setup, &str) -> Result<(), String>,
}

/// Every setting, in the order people should meet them.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        variable: "NIGH_LISTEN",
        value: "ADDR:PORT",
        default: "127.0.0.1:6444",
        help: "Where to listen, several between commas; port 0 takes a free one",
        read: |setup, text| {
            setup.http.listen = list(text).map(|text| addresses(&text)).collect::<Result<Vec<_>, _>>()?.concat();
            filled(&setup.http.listen).map(|_| ())
        },
    },
    Setting {
        name: "data-dir",
        variable: "NIGH_DATA_DIR",
        value: "DIR",
        default: "nigh-data",
        help: "Where the data is kept; made if it is not there",
        read: |setup, text| put(&mut setup.data_dir, PathBuf::from(text)),
    },
    Setting {
        name: "no-demo",
        variable: "NIGH_NO_DEMO",
        value: "",
        default: "false",
        help: "Begin without the demo collections",
        read: |setup, text| put(&mut setup.no_demo, truth(text)?),
    },
    Setting {
        name: "durability",
        variable: "NIGH_DURABILITY",
        value: "fsync|MS",
        default: "fsync",
        help: "When a change is accepted: once it survives a power cut, or with a sync only every so many milliseconds",
        read: |setup, text| {
            setup.engine.durability = match text {
                "fsync" => Durability::Fsync,
                ms => Durability::Interval(Duration::from_millis(above_zero(ms)?)),
            };
            Ok(())
        },
    },
    Setting {
        name: "keys",
        variable: "NIGH_KEYS",
        value: "FILE",
        default: "",
        help: "The file of keys that let in, as nigh key new makes them; without it everybody may do everything",
        read: |setup, text| put(&mut setup.http.keys, path(text)),
    },
    Setting {
        name: "allow-anyone",
        variable: "NIGH_ALLOW_ANYONE",
        value: "",
        default: "false",
        help: "Listen beyond this machine without keys; where something else decides who comes near",
        read: |setup, text| put(&mut setup.http.allow_anyone, truth(text)?),
    },
    Setting {
        name: "tls-cert",
        variable: "NIGH_TLS_CERT",
        value: "FILE",
        default: "",
        help: "The certificate to speak TLS with, as PEM, followed by those that vouch for it",
        read: |setup, text| put(&mut setup.tls_cert, path(text)),
    },
    Setting {
        name: "tls-key",
        variable: "NIGH_TLS_KEY",
        value: "FILE",
        default: "",
        help: "The private key of the certificate, as PEM",
        read: |setup, text| put(&mut setup.tls_key, path(text)),
    },
    Setting {
        name: "cors",
        variable: "NIGH_CORS",
        value: "ORIGINS",
        default: "",
        help: "Sites whose pages may ask, as https://a.example, several between commas; * for all",
        read: |setup, text| {
            setup.http.cors = list(text).map(origin).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Setting {
        name: "host-name",
        variable: "NIGH_HOST_NAME",
        value: "NAMES",
        default: "",
        help: "Names by which browsers may call the service where it has no keys, besides localhost and numbers",
        read: |setup, text| put(&mut setup.http.host_names, list(text).collect()),
    },
    Setting {
        name: "map-style",
        variable: "NIGH_MAP_STYLE",
        value: "URL",
        default: "",
        help: "A style for the map page, in place of land and borders that come with the program; browsers then ask its site",
        read: |setup, text| {
            setup.http.map_style = (!text.is_empty()).then(|| style(text)).transpose()?;
            Ok(())
        },
    },
    Setting {
        name: "map-origins",
        variable: "NIGH_MAP_ORIGINS",
        value: "ORIGINS",
        default: "",
        help: "Further sites that the style of the map page loads from, as https://a.example, several between commas",
        read: |setup, text| {
            setup.http.map_origins = list(text).map(sound_origin).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Setting {
        name: "rate",
        variable: "NIGH_RATE",
        value: "N",
        default: "0",
        help: "Requests a second for each key, or each address without one; twice as many at once; 0 for no limit",
        read: |setup, text| put(&mut setup.http.rate, std::num::NonZeroU32::new(number(text)?)),
    },
    Setting {
        name: "query-timeout",
        variable: "NIGH_QUERY_TIMEOUT",
        value: "SECONDS",
        default: "10",
        help: "How long a question may take before it is given up",
        read: |setup, text| put(&mut setup.http.limits.query, seconds(text)?),
    },
    Setting {
        name: "body-timeout",
        variable: "NIGH_BODY_TIMEOUT",
        value: "SECONDS",
        default: "15",
        help: "How long a client may pause while it sends a body; one that only drips is ended as well",
        read: |setup, text| put(&mut setup.http.limits.body_patience, seconds(text)?),
    },
    Setting {
        name: "upload-timeout",
        variable: "NIGH_UPLOAD_TIMEOUT",
        value: "SECONDS",
        default: "21600",
        help: "How long an upload may take in all; more where large files come over slow lines",
        read: |setup, text| put(&mut setup.http.limits.upload, seconds(text)?),
    },
    Setting {
        name: "max-body",
        variable: "NIGH_MAX_BODY",
        value: "BYTES",
        default: "8388608",
        help: "The longest body that is held in memory: more for polygons of more than a hundred thousand positions",
        read: |setup, text| {
            setup.http.limits.body_bytes = above_zero(text)?;
            setup.http.limits.bodies_bytes = setup.http.limits.bodies_bytes.max(setup.http.limits.body_bytes);
            Ok(())
        },
    },
    Setting {
        name: "max-uploads",
        variable: "NIGH_MAX_UPLOADS",
        value: "N",
        default: "64",
        help: "Uploads at once; each holds some memory",
        read: |setup, text| put(&mut setup.http.limits.uploads, number(text)?),
    },
    Setting {
        name: "max-upload",
        variable: "NIGH_MAX_UPLOAD",
        value: "BYTES",
        default: "68719476736",
        help: "The largest upload, once it is unpacked",
        read: |setup, text| put(&mut setup.http.limits.upload_bytes, above_zero(text)?),
    },
    Setting {
        name: "max-streams",
        variable: "NIGH_MAX_STREAMS",
        value: "N",
        default: "1024",
        help: "Open streams of changes at once",
        read: |setup, text| put(&mut setup.http.limits.streams, number(text)?),
    },
    Setting {
        name: "drain",
        variable: "NIGH_DRAIN",
        value: "SECONDS",
        default: "0",
        help: "How long to go on answering after being told to stop, while /readyz says no: as often as that is looked at",
        read: |setup, text| put(&mut setup.http.drain, seconds(text)?),
    },
    Setting {
        name: "slow-ms",
        variable: "NIGH_SLOW_MS",
        value: "MS",
        default: "500",
        help: "From how many milliseconds on a request is noted as slow, at level info",
        read: |setup, text| put(&mut setup.http.slow, Duration::from_millis(number(text)?)),
    },
    Setting {
        name: "log",
        variable: "NIGH_LOG_FORMAT",
        value: "human|json",
        default: "human",
        help: "How lines of the log are written to standard error",
        read: |setup, text| {
            setup.json_log = match text {
                "human" => false,
                "json" => true,
                _ => return Err("write human or json".to_owned()),
            };
            Ok(())
        },
    },
    Setting {
        name: "log-level",
        variable: "NIGH_LOG",
        value: "LEVEL",
        default: "warn",
        help: "What is worth a line: off, error, warn, info, debug or trace; the last two with what libraries say",
        read: |setup, text| {
            let level = LevelFilter::from_str(text);
            put(&mut setup.log_level, level.map_err(|_| "write off, error, warn, info, debug or trace".to_owned())?)
        },
    },
    Setting {
        name: "access-log",
        variable: "NIGH_ACCESS_LOG",
        value: "FILE",
        default: "",
        help: "A file that gets a line of JSON for each request; - is standard output",
        read: |setup, text| put(&mut setup.http.access_log, path(text)),
    },
];

/// What the settings come to.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) data_dir: PathBuf,
    pub(super) no_demo: bool,
    pub(super) engine: Settings,
    pub(super) http: Options,
    pub(super) json_log: bool,
    pub(super) log_level: LevelFilter,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
}

impl Setup {
    /// Reads one value for each setting of the table.
    pub(super) fn read<'a>(values: impl Iterator<Item = (&'static Setting, &'a str)>) -> Result<Setup, String> {
        let mut setup = Setup {
            data_dir: PathBuf::new(),
            no_demo: false,
            engine: Settings::default(),
            http: Options::default(),
            json_log: false,
            log_level: LevelFilter::WARN,
            tls_cert: None,
            tls_key: None,
        };
        for (setting, text) in values {
            (setting.read)(&mut setup, text).map_err(|reason| format!("--{} {text:?}: {reason}", setting.name))?;
        }
        setup.http.tls = match (setup.tls_cert.take(), setup.tls_key.take()) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            _ => return Err("--tls-cert and --tls-key belong together; give both or neither".to_owned()),
        };
        Ok(setup)
    }
}

fn put<T>(place: &mut T, value: T) -> Result<(), String> {
    *place = value;
    Ok(())
}

fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let found = text.to_socket_addrs().map_err(|error| error.to_string());
    found.map(Iterator::collect).map_err(|error| format!("{error}; write --listen ADDR:PORT, as in 127.0.0.1:6444"))
}

fn filled(listen: &[SocketAddr]) -> Result<&[SocketAddr], String> {
    match listen {
        [] => Err("this is no address; write --listen ADDR:PORT, as in 127.0.0.1:6444".to_owned()),
        some => Ok(some),
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| "write a whole number of zero or more".to_owned())
}

fn above_zero<T: FromStr + Default + PartialEq>(text: &str) -> Result<T, String> {
    number(text).ok().filter(|number| *number != T::default()).ok_or_else(|| "write a whole number above 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A year is longer than anybody means, and short enough to be added to the time of day.
    let sensible = seconds.filter(|duration| duration.as_secs() <= 365 * 24 * 3600);
    sensible.ok_or_else(|| "write a number of seconds, as in 10 or 0.5".to_owned())
}

/// An origin is what a browser sends: scheme, host, port if it is not the usual one, and nothing after it.
fn origin(text: String) -> Result<String, String> {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let sound = !authority.is_empty() && !authority.contains(['/', '?', '#', '@', '*', ' ']);
    match sound || text == "*" {
        true => Ok(text),
        false => Err(format!("{text:?} is no origin; write it as https://a.example, without a path, or * for all")),
    }
}

/// An address of the web. It ends up in a header that says what a browser may load, so no sign passes that means something there.
fn style(url: &str) -> Result<String, String> {
    let refuse = || format!("{url:?} is no address of a style; write it as https://tiles.example/style.json");
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(refuse)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'<>\^`{|}"#.contains(&byte));
    if plain && is_authority(authority) { Ok(url.to_owned()) } else { Err(refuse()) }
}

/// An origin that is named, without the `*` for all of them.
fn sound_origin(text: String) -> Result<String, String> {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    match is_authority(authority) {
        true => Ok(text),
        false => Err(format!("{text:?} is no origin; write it as https://tiles.example, without a path")),
    }
}

/// Whether this is a host, perhaps with a port.
fn is_authority(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, text: &str) -> Result<Setup, String> {
        let value = |setting: &'static Setting| if setting.name == name { text } else { setting.default };
        Setup::read(SETTINGS.iter().map(|setting| (setting, value(setting))).collect::<Vec<_>>().into_iter())
    }

    #[test]
    fn defaults_are_those_of_the_parts() {
        let setup = with("", "").unwrap();
        assert_eq!(format!("{:?}", setup.http), format!("{:?}", Options::default()));
        assert_eq!(setup.engine, Settings::default());
    }

    #[test]
    fn every_setting_has_names_of_its_own_and_a_default_that_can_be_read() {
        for setting in SETTINGS {
            let named = SETTINGS.iter().filter(|other| {
                other.name == setting.name || other.variable == setting.variable || other.help == setting.help
            });
            assert_eq!(named.count(), 1, "{}", setting.name);
            assert!(setting.variable.starts_with("NIGH_"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_would_be_right() {
        for (name, text, hint) in [
            ("listen", "nowhere", "write --listen ADDR:PORT"),
            ("listen", ",", "write --listen ADDR:PORT"),
            ("no-demo", "maybe", "write true or false"),
            ("durability", "0", "above 0"),
            ("durability", "sometimes", "above 0"),
            ("rate", "-1", "zero or more"),
            ("rate", "4294967296", "zero or more"),
            ("query-timeout", "-1", "seconds"),
            ("query-timeout", "inf", "seconds"),
            ("drain", "1e9", "seconds"),
            ("max-body", "8M", "above 0"),
            ("cors", "a.example", "as https://a.example"),
            ("cors", "https://a.example/", "without a path"),
            ("map-style", "style.json", "as https://tiles.example/style.json"),
            ("map-style", "file:///style.json", "as https://tiles.example/style.json"),
            ("map-style", "https://", "as https://tiles.example/style.json"),
            ("map-style", "https://a.example;script-src/x", "as https://tiles.example/style.json"),
            ("map-style", "https://user@a.example/x", "as https://tiles.example/style.json"),
            ("map-style", "https://a.example/a b", "as https://tiles.example/style.json"),
            ("map-origins", "*", "without a path"),
            ("map-origins", "https://a.example/", "without a path"),
            ("map-origins", "https://a.example;script-src *", "without a path"),
            ("log", "xml", "human or json"),
            ("log-level", "loud", "off, error"),
            ("tls-cert", "x.pem", "give both or neither"),
        ] {
            let refused = with(name, text).unwrap_err();
            assert!(refused.contains(hint) && refused.contains(&format!("--{name}")), "{refused}");
        }
    }

    #[test]
    fn lists_stand_between_commas() {
        let setup = with("cors", "https://a.example, http://localhost:3000").unwrap();
        assert_eq!(setup.http.cors, ["https://a.example", "http://localhost:3000"]);
        assert_eq!(with("listen", "127.0.0.1:1,[::1]:2").unwrap().http.listen.len(), 2);
        assert_eq!(
            with("durability", "100").unwrap().engine.durability,
            Durability::Interval(Duration::from_millis(100))
        );
    }
}
