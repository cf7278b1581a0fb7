//! Who is in a group, by NSS: groups of this machine and of directories alike.
#![expect(
    unsafe_code,
    reason = "getgrnam_r for groups over 1 MiB and getpwent_r have no safe form in a kept crate"
)]

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char, c_int};
use std::{io, mem, ptr};

use common::Username;
use libc::{gid_t, group, passwd};

/// Octets of the first try; twice as many each time it does not suffice.
const OCTETS_AT_FIRST: usize = 16 * 1024;
/// Octets of one entry: room for a group with some million members.
const OCTETS_MAX: usize = 64 << 20;

/// The members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Those that the group names, and those whose primary group it is.
    pub names: BTreeSet<Username>,
    /// Names that are none of ours, such as one with a `/`.
    pub unusable: Vec<String>,
}

/// Asks `getgrnam_r` for those whom the group names, and goes through `getpwent_r` for those whose primary group it is.
/// A directory that does not list its users (SSSD: `enumerate = false`) leaves the second part to those of this machine.
/// `None`: there is no such group.
pub fn members(name: &str) -> io::Result<Option<Members>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let Some((id, named)) = group_of(&name)? else { return Ok(None) };
    let mut members = Members::default();
    named.into_iter().chain(by_primary_group(id)?).for_each(|name| members.take(&name));
    Ok(Some(members))
}

impl Members {
    fn take(&mut self, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets);
        match Username::parse(&text) {
            Ok(name) => {
                self.names.insert(name);
            }
            Err(_) => self.unusable.push(text.into_owned()),
        }
    }
}

/// The id of a group, and the names in it.
fn group_of(name: &CStr) -> io::Result<Option<(gid_t, Vec<Vec<u8>>)>> {
    let mut octets = OCTETS_AT_FIRST;
    loop {
        let mut buffer: Vec<c_char> = vec![0; octets];
        // SAFETY: getgrnam_r(3) fills it in; all zeroes is a value of it: null pointers and numbers.
        let mut entry: group = unsafe { mem::zeroed() };
        let mut found: *mut group = ptr::null_mut();
        // SAFETY: getgrnam_r(3) asks for a NUL-terminated name and for places of ours that outlive the call, the buffer with
        // its true length.
        let status = unsafe {
            libc::getgrnam_r(name.as_ptr(), &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found)
        };
        match status {
            0 if found.is_null() => return Ok(None),
            // SAFETY: it succeeded, so that the entry points into the buffer, which lives on.
            0 => return Ok(Some((entry.gr_gid, unsafe { names_of(entry.gr_mem) }))),
            libc::ERANGE if octets < OCTETS_MAX => octets = octets.saturating_mul(2),
            // What getgrnam_r(3) lists for "not found", besides 0.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Copies the strings of a list that ends with a null pointer.
///
/// # Safety
/// `list` is null, or what `gr_mem` is after a successful getgrnam_r(3), and its buffer is still there.
unsafe fn names_of(mut list: *const *mut c_char) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    if list.is_null() {
        return names;
    }
    loop {
        // SAFETY: the caller says that the list ends with a null pointer, and none before this place was one.
        let name = unsafe { *list };
        if name.is_null() {
            return names;
        }
        // SAFETY: each of its pointers is to a NUL-terminated string.
        names.push(unsafe { CStr::from_ptr(name) }.to_bytes().to_vec());
        // SAFETY: the list goes on until its null pointer, which this was not.
        list = unsafe { list.add(1) };
    }
}

/// The names of all users whose primary group it is, as far as NSS lists users.
fn by_primary_group(id: gid_t) -> io::Result<Vec<Vec<u8>>> {
    let _list = UserList::open();
    let mut names = Vec::new();
    let mut buffer: Vec<c_char> = vec![0; OCTETS_AT_FIRST];
    loop {
        match next_user(&mut buffer, id) {
            Next::User(name) => names.extend(name),
            Next::TooLong if buffer.len() < OCTETS_MAX => buffer.resize(buffer.len().saturating_mul(2), 0),
            Next::TooLong => return Err(io::Error::from_raw_os_error(libc::ERANGE)),
            Next::End => return Ok(names),
            Next::Failed(error) => return Err(error),
        }
    }
}

/// The list of users that this process goes through. The C library has one such place for each process: nobody else here
/// goes through it.
struct UserList;

impl UserList {
    fn open() -> Self {
        // SAFETY: setpwent(3) takes nothing.
        unsafe { libc::setpwent() };
        Self
    }
}

impl Drop for UserList {
    fn drop(&mut self) {
        // SAFETY: endpwent(3) takes nothing.
        unsafe { libc::endpwent() };
    }
}

enum Next {
    /// One user; the name where it is one of the group's.
    User(Option<Vec<u8>>),
    /// The buffer is too short; the same user comes again.
    TooLong,
    End,
    Failed(io::Error),
}

fn next_user(buffer: &mut [c_char], id: gid_t) -> Next {
    // SAFETY: getpwent_r(3) fills it in; all zeroes is a value of it: null pointers and numbers.
    let mut entry: passwd = unsafe { mem::zeroed() };
    let mut found: *mut passwd = ptr::null_mut();
    // SAFETY: getpwent_r(3) asks for places of ours that outlive the call, the buffer with its true length.
    let status: c_int =
        unsafe { libc::getpwent_r(&raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) };
    match status {
        0 if entry.pw_gid != id || entry.pw_name.is_null() => Next::User(None),
        // SAFETY: it succeeded, so that the name is a NUL-terminated string in the buffer.
        0 => Next::User(Some(unsafe { CStr::from_ptr(entry.pw_name) }.to_bytes().to_vec())),
        libc::ENOENT => Next::End,
        libc::ERANGE => Next::TooLong,
        error => Next::Failed(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use common::Username;

    use super::{Members, members};

    #[test]
    fn the_group_of_root_has_root_and_a_stranger_is_no_group() {
        let root = Username::parse("root").unwrap();
        assert!(members("root").unwrap().is_some_and(|members| members.names.contains(&root)));
        assert_eq!(members("no-group-of-this-name").unwrap(), None);
        assert_eq!(members("").unwrap(), None);
        assert_eq!(members("ro\0ot").unwrap(), None);
    }

    #[test]
    fn a_member_whose_name_is_none_of_ours_is_told() {
        let mut taken = Members::default();
        [&b"alice"[..], b"../etc", b"\xff", b"alice"].iter().for_each(|name| taken.take(name));
        assert_eq!(taken.names.len(), 1);
        assert_eq!(taken.unusable, ["../etc", "\u{fffd}"]);
    }
}
