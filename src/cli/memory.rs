//! How much memory this process may count on: that of the machine, or what the system grants its group.

use std::fs;
use std::path::Path;

/// How many times the rows it holds a load takes while it builds their index.
const BUILDING: usize = 3;

/// What a process may take for building and joining index files: half of what it is granted, as the rest is wanted for the files.
pub(super) fn for_building_bytes() -> usize {
    granted_bytes().map_or(usize::MAX, |bytes| usize::try_from(bytes / 2).unwrap_or(usize::MAX))
}

/// How many bytes of items a load may hold that may take so much memory: building their index takes the rest.
pub(super) fn load_bytes(memory_bytes: usize) -> usize {
    memory_bytes / BUILDING
}

/// The least of what is told; nothing where nothing is told.
fn granted_bytes() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let machine = read(Path::new("/proc/meminfo")).and_then(|told| of_machine(&told));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    machine.into_iter().chain(of_groups(&groups, read)).min()
}

fn of_machine(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// The bounds of the groups that a process is in, and of those around them. In a container the names may be those outside, and lead
/// nowhere; the uppermost folder is its own then.
fn of_groups(told: &str, read: impl Fn(&Path) -> Option<String>) -> Vec<u64> {
    let mut bounds = Vec::new();
    for line in told.lines() {
        let Some((_, of)) = line.split_once(':') else { continue };
        let Some((controllers, group)) = of.split_once(':') else { continue };
        let (top, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for folder in Path::new(group.trim_start_matches('/')).ancestors() {
            let bound = read(&Path::new(top).join(folder).join(file));
            bounds.extend(bound.and_then(|bound| bound.trim().parse::<u64>().ok())); // "max" is none
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_the_machine_is_read_in_bytes() {
        assert_eq!(of_machine("MemTotal:       24576000 kB\nMemFree:  1 kB\n"), Some(24_576_000 << 10));
        assert_eq!(of_machine("MemFree:  1 kB\n"), None);
        assert_eq!(of_machine("MemTotal: much\n"), None);
    }

    #[test]
    fn the_bounds_of_all_groups_around_a_process_count() {
        let files = |path: &Path| match path.to_str()? {
            "/sys/fs/cgroup/system.slice/nigh.service/memory.max" => Some("max\n".to_owned()),
            "/sys/fs/cgroup/system.slice/memory.max" => Some("536870912\n".to_owned()),
            "/sys/fs/cgroup/memory/load/memory.limit_in_bytes" => Some("1048576\n".to_owned()),
            "/sys/fs/cgroup/memory/memory.limit_in_bytes" => Some("9223372036854771712\n".to_owned()),
            _ => None,
        };
        assert_eq!(of_groups("0::/system.slice/nigh.service\n", files), [536_870_912]);
        assert_eq!(of_groups("9:cpu,cpuacct:/load\n3:memory:/load\n", files), [1_048_576, 9_223_372_036_854_771_712]);
        assert_eq!(of_groups("0::/../../elsewhere\nnonsense\n", files), Vec::<u64>::new());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn here_something_is_told() {
        assert!(granted_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
