//! Forking, leaving a fork and watching one: the calls for which the kernel's contract is ours to keep.
#![expect(unsafe_code, reason = "fork, close_range, _exit and pidfd_open have no safe form in a kept crate")]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::socket::{ControlMessageOwned, RecvMsg};
use nix::unistd::{ForkResult, Pid, fork};

/// A child's end after a panic (sysexits.h: EX_SOFTWARE).
const EXIT_PANIC: i32 = 70;

/// Runs `work` in a child and gives its process id. The child never returns from here, whatever `work` does.
/// The caller sees to it that no other thread holds a lock that `work` needs: by having no other thread.
pub(super) fn run_in_child(work: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: fork(2). The callers are single-threaded (`PamHelper::fork` checks it, and its child starts no thread), so
    // no lock is held by a thread that the child does not have.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: _exit(2) ends the child without running what its parent registered for its own end.
            unsafe { libc::_exit(if ended.is_ok() { 0 } else { EXIT_PANIC }) }
        }
    }
}

/// Closes all that a child inherited but standard input, output, error and `kept`.
pub(super) fn close_all_but(kept: &OwnedFd) -> io::Result<()> {
    let kept = u32::try_from(kept.as_raw_fd()).map_err(io::Error::other)?;
    close_range(3, kept.saturating_sub(1))?;
    close_range(kept.saturating_add(1), u32::MAX)
}

/// A descriptor that can be read once the child has ended.
pub(super) fn watch(child: Pid) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open(2) takes a process id and flags, and touches no memory of ours.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) };
    let Ok(descriptor @ 0..) = i32::try_from(descriptor) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the kernel has just made this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// The descriptor that came with a message; none, if it was cut off because this process may have no more, or if
/// there were several.
pub(super) fn passed_descriptor(message: &RecvMsg<'_, '_, ()>) -> Option<OwnedFd> {
    let passed = message.cmsgs().ok()?.flat_map(|control| match control {
        ControlMessageOwned::ScmRights(descriptors) => descriptors,
        _ => Vec::new(),
    });
    // SAFETY: the kernel has just made these descriptors for the receiver (unix(7)), and nobody else owns them.
    let mut owned: Vec<_> = passed.map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) }).collect();
    owned.pop().filter(|_| owned.is_empty())
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range(2), in a child that never returns to the code that owns these descriptors.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
