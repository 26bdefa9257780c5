//! How busy the machine around is, as the kernel tells every container. Whatever cannot be read is absent; what is too
//! busy is decided by the reader.

use std::fs;

use silidock_probe::{Surroundings, Ticks};

/// Where the two versions of control groups tell how long a container was held back, with the unit in microseconds.
const THROTTLED: [(&str, &str, u64); 3] = [
    ("/sys/fs/cgroup/cpu.stat", "throttled_usec", 1),
    ("/sys/fs/cgroup/cpu/cpu.stat", "throttled_time", 1000),
    ("/sys/fs/cgroup/cpu,cpuacct/cpu.stat", "throttled_time", 1000),
];

pub fn look() -> Surroundings {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = |key: &str| value::<u64>(&memory, key).map(|kilobytes| kilobytes * 1024);
    Surroundings {
        processors: std::thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()),
        load: fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse().ok()),
        cpu_pressure: pressure("cpu"),
        memory_pressure: pressure("memory"),
        io_pressure: pressure("io"),
        memory: kilobytes("MemTotal:"),
        memory_available: kilobytes("MemAvailable:"),
        throttled: THROTTLED
            .iter()
            .find_map(|(path, key, unit)| value::<u64>(&fs::read_to_string(path).ok()?, key).map(|time| time / unit)),
        ticks: fs::read_to_string("/proc/stat").ok().as_deref().and_then(ticks),
    }
}

/// Nanoseconds in which the main thread was ready and had no processor.
pub fn waited() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').nth(1)?.parse().ok()
}

/// The number behind a word at the beginning of a line.
fn value<T: std::str::FromStr>(text: &str, key: &str) -> Option<T> {
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

/// `some avg10=1.25 avg60=0.30 avg300=0.05 total=123`
fn pressure(of: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/pressure/{of}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("some avg10=")?.split(' ').next()?.parse().ok())
}

/// `cpu` and user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted among them already.
fn ticks(stat: &str) -> Option<Ticks> {
    const COUNTED: usize = 8;
    const STOLEN: usize = 7;
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let numbers: Vec<u64> = line.split_whitespace().take(COUNTED).map_while(|number| number.parse().ok()).collect();
    Some(Ticks { all: numbers.iter().sum(), stolen: *numbers.get(STOLEN)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "cpu  10 20 30 400 5 6 7 8 9 9\ncpu0 1 2 3\n";
        assert_eq!(ticks(stat), Some(Ticks { all: 486, stolen: 8 }));
        assert_eq!(ticks("cpu  10 20\n"), None);
        assert_eq!(value::<u64>("MemTotal:   24 kB\nMemFree: 3 kB\n", "MemFree:"), Some(3));
    }
}
