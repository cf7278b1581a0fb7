//! Gives the rights of root up, for good. What needs them (sockets on low ports, the process that asks PAM) comes before.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Uid, User, getresuid, setgid, setgroups, setuid};

use crate::error::ServerError;

/// Whose rights the process has at the start.
#[derive(Debug)]
pub enum Start {
    /// Root's, to be given up for this user's.
    AsRoot(User),
    /// An ordinary user's; nothing to give up.
    AsUser,
}

impl Start {
    /// Asks the kernel, and as root looks up whom to become.
    ///
    /// # Errors
    /// There is no user of that name, or it is root.
    pub fn here(system_user: &str) -> Result<Self, ServerError> {
        if !Uid::effective().is_root() {
            return Ok(Self::AsUser);
        }
        let found = User::from_name(system_user).map_err(failed("look the system user up"))?;
        let user = found.ok_or_else(|| ServerError::NoUser { name: system_user.to_owned() })?;
        if user.uid.is_root() { Err(ServerError::UserIsRoot) } else { Ok(Self::AsRoot(user)) }
    }

    /// Becomes the system user for good. No program started by us gains rights, and nobody of our uid reads our memory
    /// or gets it as a core file.
    ///
    /// # Errors
    /// [`ServerError::Rights`], [`ServerError::RightsCameBack`]. The process must end then.
    pub fn give_up_rights(&self) -> Result<(), ServerError> {
        match self {
            Self::AsRoot(user) => become_user(user)?,
            Self::AsUser => {}
        }
        prctl::set_no_new_privs().map_err(failed("refuse new rights for later"))?;
        prctl::set_dumpable(false).map_err(failed("keep the memory of the process to itself"))
    }
}

/// Takes the user's ids with its own group alone, and sees to it that there is no way back.
fn become_user(user: &User) -> Result<(), ServerError> {
    setgroups(&[user.gid]).map_err(failed("give up the groups of root"))?;
    setgid(user.gid).map_err(failed("change the group"))?;
    setuid(user.uid).map_err(failed("change the user"))?;
    let ids = getresuid().map_err(failed("read our own user ids"))?;
    let is_user = [ids.real, ids.effective, ids.saved].iter().all(|id| *id == user.uid);
    if !is_user || setuid(Uid::from_raw(0)).is_ok() {
        return Err(ServerError::RightsCameBack);
    }
    Ok(())
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> ServerError {
    move |source| ServerError::Rights { operation, source }
}
