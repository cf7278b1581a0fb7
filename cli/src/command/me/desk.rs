//! Who asks, and whom: the caller of this program, by the real uid, at countersign-local, which hears from the kernel who
//! that is.

use std::path::PathBuf;

use assembly::local::{Away, Errand, Reply, Request, Round, Service};
use common::PrimaryMode;
use common::attempt::{LOCAL_SOURCE, SELF_SERVICE, Word};
use nix::unistd::{User, getuid};

use crate::context::Context;
use crate::failure::Failure;

/// The errand of one user.
pub(super) struct Desk {
    service: Service,
    errand: Errand,
    settings: PathBuf,
}

impl Desk {
    /// The errand of whoever runs this program: under sudo and su that is the user whom they made of the caller.
    pub(super) fn of_caller(context: &Context, socket: PathBuf) -> Result<Self, Failure> {
        let uid = getuid();
        let user = User::from_uid(uid).ok().flatten().ok_or(Failure::NoSuchUid(uid.as_raw()))?;
        let settings = context.settings_file.clone();
        let errand = Errand {
            settings: settings.to_string_lossy().into_owned(),
            service: SELF_SERVICE.to_owned(),
            user: user.name,
            source: Some(LOCAL_SOURCE.to_owned()),
            primary: PrimaryMode::None,
            caller: uid.as_raw(),
            word: Word::OfUser,
        };
        Ok(Self { service: Service::at(socket), errand, settings })
    }

    /// One round.
    pub(super) fn round(&self, round: Round) -> Result<Reply, Failure> {
        let request = Request { errand: self.errand.clone(), round };
        self.service.ask(&request).map_err(|away| match away {
            Away::OtherSettings => Failure::OtherSettings(self.settings.clone()),
            away => Failure::Away(away),
        })
    }
}
