//! What the machine is called, as far as it says: figures of two machines do not compare.

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    /// The name of the processor, where the system tells it.
    pub(super) processor: Option<String>,
    pub(super) cores: usize,
    pub(super) system: &'static str,
    pub(super) architecture: &'static str,
}

impl Machine {
    pub(super) fn this() -> Machine {
        Machine {
            processor: std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| processor(&text)),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
        }
    }

    /// In a line.
    pub(super) fn name(&self) -> String {
        let Machine { processor, cores, system, architecture } = self;
        let processor = processor.as_deref().unwrap_or("a processor without a name");
        let plural = if *cores == 1 { "" } else { "s" };
        format!("{processor}, {cores} core{plural}, {system} {architecture}")
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let named = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    cpuinfo.lines().find_map(named).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_called_what_the_system_calls_it_or_nothing() {
        let text = "processor\t: 0\nmodel name\t:  Some(R)  Chip @ 2GHz\nflags: a\nmodel name : other\n";
        assert_eq!(processor(text).as_deref(), Some("Some(R) Chip @ 2GHz"));
        assert_eq!((processor("model name :\n"), processor("")), (None, None));
        assert!(Machine::this().name().contains(" core"));
    }
}
