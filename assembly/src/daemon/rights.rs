//! Gives the rights of root up, for good. What needs them (sockets on low ports or in folders of root, the
//! process that asks PAM) comes before.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, User, getgroups, getresgid, getresuid, setgid, setgroups, setuid};

use crate::daemon::DaemonError;

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
    /// There is no user of that name, or it is root; or the process has rights of several users, as a set-user-ID program
    /// has, and nobody can say whose they are.
    pub fn here(system_user: &str) -> Result<Self, DaemonError> {
        let (uid, _) = single_ids()?.ok_or(DaemonError::RightsOfSeveral)?;
        if !uid.is_root() {
            return Ok(Self::AsUser);
        }
        let found = User::from_name(system_user).map_err(failed("look the system user up"))?;
        let user = found.ok_or_else(|| DaemonError::NoUser { name: system_user.to_owned() })?;
        if user.uid.is_root() { Err(DaemonError::UserIsRoot) } else { Ok(Self::AsRoot(user)) }
    }

    /// Becomes the system user for good. No program started by us gains rights, and nobody of our uid reads our memory
    /// or gets it as a core file.
    ///
    /// # Errors
    /// [`DaemonError::Rights`], [`DaemonError::RightsCameBack`]. The process must end then.
    pub fn give_up_rights(&self) -> Result<(), DaemonError> {
        match self {
            Self::AsRoot(user) => become_user(user)?,
            Self::AsUser => {}
        }
        prctl::set_no_new_privs().map_err(failed("refuse new rights for later"))?;
        prctl::set_dumpable(false).map_err(failed("keep the memory of the process to itself"))
    }
}

/// Takes the user's ids with its own group alone, and sees to it that there is no way back.
fn become_user(user: &User) -> Result<(), DaemonError> {
    setgroups(&[user.gid]).map_err(failed("give up the groups of root"))?;
    setgid(user.gid).map_err(failed("change the group"))?;
    setuid(user.uid).map_err(failed("change the user"))?;
    let groups = getgroups().map_err(failed("read our own groups"))?;
    let is_user = single_ids()? == Some((user.uid, user.gid)) && groups == [user.gid];
    if !is_user || setuid(Uid::from_raw(0)).is_ok() {
        return Err(DaemonError::RightsCameBack);
    }
    Ok(())
}

/// User and group of the process; none where real, effective and saved ones differ.
fn single_ids() -> Result<Option<(Uid, Gid)>, DaemonError> {
    let users = getresuid().map_err(failed("read our own user ids"))?;
    let groups = getresgid().map_err(failed("read our own group ids"))?;
    let uid = single([users.real, users.effective, users.saved]);
    let gid = single([groups.real, groups.effective, groups.saved]);
    Ok(uid.zip(gid))
}

fn single<T: PartialEq + Copy>([real, effective, saved]: [T; 3]) -> Option<T> {
    (real == effective && effective == saved).then_some(real)
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> DaemonError {
    move |source| DaemonError::Rights { operation, source }
}

#[cfg(test)]
mod tests {
    use super::single;

    #[test]
    fn an_id_that_differs_makes_all_of_them_nobodys() {
        assert_eq!(single([0, 0, 0]), Some(0));
        assert_eq!(single([7, 7, 7]), Some(7));
        for mixed in [[7, 0, 0], [0, 7, 0], [0, 0, 7], [7, 7, 0], [7, 0, 7]] {
            assert_eq!(single(mixed), None, "{mixed:?}");
        }
    }
}
