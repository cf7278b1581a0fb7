//! Names by NSS: the users of this machine, whatever directory they come from.

use common::Username;
use common::ports::{Identity, Names, Stored};
use nix::unistd::User;

/// Asks `getpwnam_r`; the canonical name is `pw_name`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nss;

impl Names for Nss {
    fn identify(&self, name: &Username, _stored: Stored) -> Identity {
        Self::told(&User::from_name(name.as_str()))
    }
}

impl Nss {
    /// What an answer of `getpwnam_r` says of the name.
    #[must_use]
    pub fn told(answer: &nix::Result<Option<User>>) -> Identity {
        match answer {
            // A name that we cannot read is nobody of ours: it could not be told from others.
            Ok(Some(user)) => Username::parse(&user.name).map_or(Identity::Unavailable, Identity::Known),
            Ok(None) => Identity::Unknown,
            Err(_) => Identity::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use common::Username;
    use common::ports::{Identity, Names as _, Stored};

    use super::Nss;

    #[test]
    fn root_is_known_and_a_stranger_is_not() {
        let name = |text| Username::parse(text).unwrap();
        assert_eq!(Nss.identify(&name("root"), Stored::No), Identity::Known(name("root")));
        assert_eq!(Nss.identify(&name("nobody-of-this-name"), Stored::Yes), Identity::Unknown);
    }
}
