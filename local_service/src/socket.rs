//! The listening socket: systemd's, or our own. Whoever holds the lock beside it may put a socket there, so that two
//! services never take it from each other, and one that was killed leaves nothing in the way.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use assembly::daemon::Start;
use listenfd::ListenFd;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, getsockopt, listen, socket, sockopt,
};

use crate::error::ServiceError;
use crate::limits;

/// Everybody may connect; who that is says the kernel.
const SOCKET_MODE: u32 = 0o666;
const FOLDER_MODE: u32 = 0o755;

/// Where callers come in.
#[derive(Debug)]
pub struct Listener {
    /// The socket; nothing on it waits.
    pub socket: UnixListener,
    own: Option<Own>,
}

/// A socket that we have made: it goes with us.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    _lock: File,
}

impl Listener {
    /// The socket that systemd has handed over, if it has.
    ///
    /// # Errors
    /// [`ServiceError::Activation`]: it is none that can be listened on.
    pub fn handed_over() -> Result<Option<Self>, ServiceError> {
        let failed = |source| ServiceError::Activation { source };
        let Some(socket) = ListenFd::from_env().take_unix_listener(0).map_err(failed)? else {
            return Ok(None);
        };
        let is_listening = getsockopt(&socket, sockopt::AcceptConn).map_err(|error| failed(error.into()))?;
        if !is_listening {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        }
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Some(Self { socket, own: None }))
    }

    /// A socket of our own, with the rights that we have by now.
    ///
    /// # Errors
    /// [`ServiceError::Socket`], [`ServiceError::FolderOpen`], [`ServiceError::Taken`].
    pub fn open(path: &Path) -> Result<Self, ServiceError> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        refuse_open(folder)?;
        let lock = lock(path)?;
        // Made beside its place and moved there: nobody ever finds one that is not ready.
        let made = path.with_extension("new");
        let _ = fs::remove_file(&made);
        let socket = listening(&made).map_err(|error| failed("make the socket", &made)(error.into()))?;
        fs::set_permissions(&made, Permissions::from_mode(SOCKET_MODE))
            .map_err(failed("open to all", &made))?;
        fs::rename(&made, path).map_err(failed("put the socket at", path))?;
        socket.set_nonblocking(true).map_err(failed("use", path))?;
        Ok(Self { socket, own: Some(Own { path: path.to_owned(), _lock: lock }) })
    }

    /// Where it is, as far as we know.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.own {
            Some(own) => own.path.display().to_string(),
            None => "the socket of systemd".to_owned(),
        }
    }
}

/// Few may wait in front of it: whoever comes then has few before them, also where somebody connects again and again.
fn listening(path: &Path) -> Result<UnixListener, Errno> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    listen(&socket, Backlog::new(limits::BACKLOG)?)?;
    Ok(socket.into())
}

/// Callers find nothing then, rather than nobody.
impl Drop for Own {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// As root: makes the folder for the user whom we are about to become, where there is none.
///
/// # Errors
/// [`ServiceError::Socket`].
pub fn prepare_folder(path: &Path, start: &Start) -> Result<(), ServiceError> {
    let (Start::AsRoot(user), Some(folder)) = (start, path.parent()) else { return Ok(()) };
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(source) => return Err(failed("make the folder", folder)(source)),
    }
    fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))
        .map_err(failed("open to all", folder))?;
    chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(failed("hand over", folder))
}

/// Callers trust whoever can write here.
fn refuse_open(folder: &Path) -> Result<(), ServiceError> {
    let metadata = fs::symlink_metadata(folder).map_err(failed("look at", folder))?;
    let owner = metadata.uid();
    let is_ours = owner == 0 || owner == nix::unistd::geteuid().as_raw();
    if metadata.is_dir() && is_ours && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(ServiceError::FolderOpen { path: folder.to_owned() })
}

fn lock(path: &Path) -> Result<File, ServiceError> {
    let beside = path.with_extension("lock");
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags.bits());
    let file = options.open(&beside).map_err(failed("open", &beside))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServiceError::Taken { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &beside)(source)),
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ServiceError {
    let path = path.to_owned();
    move |source| ServiceError::Socket { operation, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_second_service_does_not_take_the_socket_from_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.sock");
        let first = Listener::open(&path).unwrap();
        assert!(matches!(Listener::open(&path), Err(ServiceError::Taken { .. })));
        assert!(UnixStream::connect(&path).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, SOCKET_MODE);
        drop(first);
        assert!(!path.exists());
        assert!(Listener::open(&path).is_ok());
    }

    #[test]
    fn what_a_killed_service_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(UnixStream::connect(&path).is_err());
        let _again = Listener::open(&path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let opened = Listener::open(&folder.path().join("local.sock"));
        assert!(matches!(opened, Err(ServiceError::FolderOpen { .. })));
    }
}
