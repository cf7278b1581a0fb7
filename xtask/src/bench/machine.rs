//! What the figures were measured on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Instant;

use test_ground::Failure;
use test_ground::ground::DISK;

use crate::bench::figures::{Spread, quantile};

/// Durable writes that are timed.
const WRITES: usize = 100;
/// A page of SQLite.
const PAGE: [u8; 4096] = [0; 4096];

/// Facts, a line each. The disk is tried now: what it says depends on what else is going on.
pub(super) fn facts() -> Result<Vec<String>, Failure> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once([':', '='])).map_or("unknown", |(_, value)| value);
        value.trim().trim_matches('"').to_owned()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let disk = Path::new(DISK).join("durable");
    let writes = durable_writes(&disk).map_err(Failure::file("write", &disk))?;
    let Spread { median, max, .. } = Spread::of(&writes);
    let p99 = quantile(&writes, 0.99);
    Ok(vec![
        format!("processor: {}, {cores} in use", after(&read("/proc/cpuinfo"), "model name")),
        format!("memory: {}", after(&read("/proc/meminfo"), "MemTotal")),
        format!("kernel: {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("system: {}", after(&read("/etc/os-release"), "PRETTY_NAME")),
        format!("one durable write of 4 KiB: {median:.2} ms, p99 {p99:.2} ms, longest {max:.2} ms"),
        format!("load while measuring ended (1, 5, 15 min): {}", read("/proc/loadavg").trim()),
    ])
}

/// Milliseconds of `write` and `fdatasync` at the end of a file.
fn durable_writes(path: &Path) -> io::Result<Vec<f64>> {
    let mut file = File::create(path)?;
    let write = |_| {
        let begun = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    };
    (0..WRITES).map(write).collect()
}
