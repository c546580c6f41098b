//! How long the control group of this process has kept it from its processors, since it had used up its share of them. It knows nothing of
//! looks, threads, or who asks.

use std::{fs, path::PathBuf, sync::OnceLock, time::Duration};

/// Where control groups are mounted, each version of them in its own way.
const MOUNTS: [(&str, &[&str]); 2] = [
    ("", &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]),
    ("cpu", &["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpuacct,cpu"]),
];

/// The time so far, summed over processors; `None` where that is not told.
pub(super) fn throttled() -> Option<Duration> {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| find(&fs::read_to_string("/proc/self/cgroup").ok()?)).as_ref()?;
    parse(&fs::read_to_string(file).ok()?)
}

/// The file that tells, of the groups that a process is in. In a container its group may be the root of what is mounted.
fn find(groups: &str) -> Option<PathBuf> {
    let told = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| parse(&text).is_some());
    candidates(groups).into_iter().find(told)
}

fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        for (controller, mounts) in MOUNTS {
            if !controllers.split(',').any(|known| known == controller) {
                continue;
            }
            for mount in mounts {
                files.push(PathBuf::from(format!("{mount}{}/cpu.stat", path.trim_end_matches('/'))));
                files.push(PathBuf::from(format!("{mount}/cpu.stat")));
            }
        }
    }
    files
}

/// The time, as either version writes it.
fn parse(text: &str) -> Option<Duration> {
    text.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", micros) => Some(Duration::from_micros(micros.trim().parse().ok()?)),
        ("throttled_time", nanos) => Some(Duration::from_nanos(nanos.trim().parse().ok()?)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_version_is_read() {
        assert_eq!(parse("usage_usec 5\nthrottled_usec 1500\n"), Some(Duration::from_micros(1_500)));
        assert_eq!(parse("nr_throttled 2\nthrottled_time 1500\n"), Some(Duration::from_nanos(1_500)));
        assert_eq!((parse("usage_usec 5\n"), parse("throttled_usec many\n")), (None, None));
    }

    #[test]
    fn the_group_s_own_file_comes_before_the_root_of_what_is_mounted() {
        let files = |groups| candidates(groups).into_iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        assert_eq!(files("0::/app.slice\n")[..2], ["/sys/fs/cgroup/app.slice/cpu.stat", "/sys/fs/cgroup/cpu.stat"]);
        assert_eq!(files("3:cpu,cpuacct:/a\n")[0], "/sys/fs/cgroup/cpu/a/cpu.stat");
        assert_eq!(files("0::/\n")[0], "/sys/fs/cgroup/cpu.stat");
        assert!(files("2:cpuset:/\nnothing\n").is_empty());
    }
}
