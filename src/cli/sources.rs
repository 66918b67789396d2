//! Where settings come from: flags, over variables of the environment, over a file, over defaults.
//!
//! What surprises: a name in the file that is no setting stops the start. A setting that was misspelt and passed over is found out when
//! it is needed most.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::Failure;
use super::settings::{SETTINGS, Setting, Setup};

/// The file that is read where none is named, if it is in the data directory.
const USUAL_FILE: &str = "nigh.toml";

const DATA_DIR: &str = "data-dir";

/// A value with where it came from.
#[derive(Debug, Clone)]
struct Chosen {
    setting: &'static Setting,
    text: String,
    origin: String,
}

/// A value for every setting.
#[derive(Debug)]
pub(super) struct Choices(Vec<Chosen>);

/// A file of settings: where it is, and names with values as text.
struct FileOfSettings {
    path: PathBuf,
    values: Vec<(&'static Setting, String)>,
}

impl Choices {
    /// Gathers them from the command line, the environment, and the file that either of them names.
    pub(super) fn gather(matches: &ArgMatches) -> Result<Choices, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let flag = |name: &str| matches.get_one::<String>(name).cloned();
        let above = |setting: &Setting| match flag(setting.name) {
            Some(text) => Some((text, "flag".to_owned())),
            None => variable(setting.variable).map(|text| (text, format!("variable {}", setting.variable))),
        };
        let named = flag("config").or_else(|| variable("NIGH_CONFIG")).map(PathBuf::from);
        let file = match &named {
            Some(path) => Some(FileOfSettings::read(path)?),
            None => beside_the_data(above)?,
        };
        let choose = |setting: &'static Setting| {
            let in_file = || file.as_ref().and_then(|file| file.value(setting));
            let default = || (setting.default.to_owned(), "default".to_owned());
            let (text, origin) = above(setting).or_else(in_file).unwrap_or_else(default);
            Chosen { setting, text, origin }
        };
        Ok(Choices(SETTINGS.iter().map(choose).collect()))
    }

    /// What they come to.
    pub(super) fn setup(&self) -> Result<Setup, Failure> {
        Setup::read(self.0.iter().map(|chosen| (chosen.setting, &*chosen.text))).map_err(Failure::Usage)
    }

    /// As a file of settings that says the same, with origins as comments.
    pub(super) fn to_toml(&self) -> String {
        let mut out = String::new();
        for Chosen { setting, text, origin } in &self.0 {
            let plain = setting.value.is_empty() || text.parse::<f64>().is_ok();
            let value = if plain { text.clone() } else { format!("{text:?}") };
            let line = match text.is_empty() {
                true => format!("# {} is not set", setting.name),
                false => format!("{} = {value}", setting.name),
            };
            let _ = writeln!(out, "{line:<40} # {origin}"); // a String takes everything
        }
        out
    }
}

/// The usual file, if it is there.
fn beside_the_data(above: impl Fn(&Setting) -> Option<(String, String)>) -> Result<Option<FileOfSettings>, Failure> {
    let data_dir = SETTINGS.iter().find(|setting| setting.name == DATA_DIR).expect("the table has the data directory");
    let folder = above(data_dir).map_or_else(|| data_dir.default.to_owned(), |(text, _)| text);
    let path = Path::new(&folder).join(USUAL_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let file = FileOfSettings::read(&path)?;
    match file.value(data_dir) {
        Some(_) => Err(Failure::Usage(format!(
            "{}: it stands in the data directory and cannot say that it is elsewhere; give it with --config",
            path.display()
        ))),
        None => Ok(Some(file)),
    }
}

impl FileOfSettings {
    fn read(path: &Path) -> Result<FileOfSettings, Failure> {
        let refuse = |reason: String| Failure::Usage(format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| refuse(error.to_string()))?;
        let mut values = Vec::new();
        for (name, value) in &table {
            let setting = known(name).map_err(refuse)?;
            let text =
                as_text(value).ok_or_else(|| refuse(format!("{name} is neither a text, a number nor a list")))?;
            values.push((setting, text));
        }
        Ok(FileOfSettings { path: path.to_owned(), values })
    }

    fn value(&self, setting: &Setting) -> Option<(String, String)> {
        let (_, text) = self.values.iter().find(|(other, _)| other.name == setting.name)?;
        Some((text.clone(), format!("file {}", self.path.display())))
    }
}

fn known(name: &str) -> Result<&'static Setting, String> {
    SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let nearest = SETTINGS.iter().map(|setting| setting.name).min_by_key(|known| steps(known, name));
        format!("there is no setting {name}; the nearest is {}", nearest.unwrap_or_default())
    })
}

fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(values) => Some(values.iter().map(as_text).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}

/// How many letters have to be changed, added or left out to make one word of another (Levenshtein).
fn steps(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in (1..).zip(from.chars()) {
        let mut diagonal = std::mem::replace(&mut row[0], at);
        for (column, other) in (1..).zip(&to) {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column];
            row[column] = change.min(diagonal + 1).min(row[column - 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_told_the_nearest() {
        for (name, nearest) in
            [("data_dir", "data-dir"), ("lisen", "listen"), ("Rate", "rate"), ("tls-crt", "tls-cert")]
        {
            let refused = known(name).unwrap_err();
            assert!(refused.ends_with(&format!("the nearest is {nearest}")), "{refused}");
        }
        assert_eq!((steps("kitten", "sitting"), steps("", "abc"), steps("abc", ""), steps("a", "a")), (3, 3, 3, 0));
    }
}
