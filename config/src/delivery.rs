//! Whom codes and notices are handed to, and what they say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::Secret;
use common::address::Channel;
use common::gateway::Gateway;
use common::wording::Wording;

use crate::error::ConfigError;
use crate::file::{Contents, SourceFile};

/// `[delivery]`, apart from what policy says of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The gateways, in the order in which they are tried.
    pub gateways: Vec<DeliveryGateway>,
    /// The words of messages.
    pub wording: Wording,
}

/// A gateway, and where its secrets are. They are read by who sends, not with the settings: PAM callers must not be able to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryGateway {
    /// The gateway.
    pub gateway: Gateway,
    /// The file with its password.
    pub password_file: Option<PathBuf>,
    /// The file with the authorities that are believed about it; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Delivery {
    /// By which channels something can be delivered.
    #[must_use]
    pub fn channels(&self) -> BTreeSet<Channel> {
        self.gateways.iter().flat_map(|it| it.gateway.channels.iter().copied()).collect()
    }

    /// By which ones of them notices can be.
    #[must_use]
    pub fn notice_channels(&self) -> BTreeSet<Channel> {
        let say_texts = self.gateways.iter().map(|it| &it.gateway).filter(|gateway| gateway.way.says_texts());
        say_texts.flat_map(|gateway| gateway.channels.iter().copied()).collect()
    }
}

/// Reads a password from a file of its own: all of it but white space at its ends.
///
/// # Errors
/// It cannot be read, is too long, or others could have read or written it.
pub fn read_password(path: &Path) -> Result<Secret, ConfigError> {
    let file = SourceFile::open(path, Contents::Password)?;
    let password = file.text().trim();
    if password.is_empty() || password.contains(char::is_control) {
        return Err(ConfigError::NoPassword { path: path.to_owned() });
    }
    Ok(Secret::from(password))
}

/// Reads certificates of authorities (PEM), which are no secret but must not be anybody's.
///
/// # Errors
/// It cannot be read, is too long, or others could have written it.
pub fn read_authorities(path: &Path) -> Result<String, ConfigError> {
    Ok(SourceFile::open(path, Contents::Settings)?.text().to_owned())
}
