//! What the figures were measured on.

use std::fs;
use std::thread;

/// Facts, a line each.
pub(super) fn facts() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once([':', '='])).map_or("unknown", |(_, value)| value);
        value.trim().trim_matches('"').to_owned()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    vec![
        format!("processor: {}, {cores} in use", after(&read("/proc/cpuinfo"), "model name")),
        format!("memory: {}", after(&read("/proc/meminfo"), "MemTotal")),
        format!("kernel: {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("system: {}", after(&read("/etc/os-release"), "PRETTY_NAME")),
        format!("load while measuring ended (1, 5, 15 min): {}", read("/proc/loadavg").trim()),
    ]
}
