//! A library for `LD_PRELOAD` (ld.so(8)): counts what waits for the disk and, if asked to, makes it wait longer. Every
//! contestant of the bench runs under it, ours and the peers alike.
//!
//! `BENCH_FSYNCS` names a file with the count: eight octets, shared by all processes that are counted together.
//! `BENCH_FSYNC_MICROS` is how long each of them waits before the disk does.
#![expect(
    unsafe_code,
    reason = "stands in for functions of the C library and shares memory with other processes"
)]

use std::env;
use std::ffi::c_int;
use std::fs::OpenOptions;
use std::os::fd::AsRawFd as _;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use bench::{FSYNC_COUNT_OCTETS, FSYNC_COUNT_VARIABLE, FSYNC_WAIT_VARIABLE};

static COUNT: OnceLock<Option<&'static AtomicU64>> = OnceLock::new();
static WAIT: OnceLock<Duration> = OnceLock::new();

/// Counts, and waits as a slower disk would. The system call comes after it, so that `errno` is the call's.
fn begin() {
    if let Some(count) = COUNT.get_or_init(shared_count) {
        count.fetch_add(1, Ordering::Relaxed);
    }
    let wait = *WAIT.get_or_init(|| {
        let micros = env::var(FSYNC_WAIT_VARIABLE).ok().and_then(|micros| micros.parse().ok());
        Duration::from_micros(micros.unwrap_or_default())
    });
    if !wait.is_zero() {
        sleep(wait);
    }
}

fn shared_count() -> Option<&'static AtomicU64> {
    let file = OpenOptions::new().read(true).write(true).open(env::var_os(FSYNC_COUNT_VARIABLE)?).ok()?;
    if file.metadata().ok()?.len() < u64::try_from(FSYNC_COUNT_OCTETS).ok()? {
        return None;
    }
    // SAFETY: mmap(2) of a file that is long enough; a page is aligned for an AtomicU64, is never unmapped, and every
    // process sees it through atomics only.
    unsafe {
        let page = libc::mmap(
            null_mut(),
            FSYNC_COUNT_OCTETS,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        );
        (page != libc::MAP_FAILED).then(|| AtomicU64::from_ptr(page.cast()))
    }
}

fn status(returned: libc::c_long) -> c_int {
    c_int::try_from(returned).unwrap_or(-1)
}

/// fsync(2).
// SAFETY: the name and the signature are those of the C library, which this stands in for on purpose.
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    begin();
    // SAFETY: the system call takes any number for a descriptor.
    status(unsafe { libc::syscall(libc::SYS_fsync, file) })
}

/// fdatasync(2).
// SAFETY: as for `fsync`.
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    begin();
    // SAFETY: as for `fsync`.
    status(unsafe { libc::syscall(libc::SYS_fdatasync, file) })
}

/// `sync_file_range(2)`.
// SAFETY: as for `fsync`.
#[unsafe(no_mangle)]
extern "C" fn sync_file_range(file: c_int, offset: i64, octets: i64, flags: u32) -> c_int {
    begin();
    // SAFETY: as for `fsync`; offset, length and flags are checked by the kernel.
    status(unsafe { libc::syscall(libc::SYS_sync_file_range, file, offset, octets, flags) })
}
