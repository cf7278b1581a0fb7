//! The tables of the files, and what may stand in each.

use crate::accounts;
use crate::keys::{KEYS, Key};

/// A table that keys stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The top of `countersign.toml`.
    Top,
    /// `[names]`
    Names,
    /// `[primary]`
    Primary,
    /// `[privileged]`
    Privileged,
    /// `[break-glass]`
    BreakGlass,
    /// `[[rule]]`
    Rule,
    /// `[registration]`
    Registration,
    /// `[[registration.opening]]`
    Opening,
    /// `[pam]`, which holds only `[pam.services]`.
    Pam,
    /// `[pam.services]`, whose keys are names of PAM services.
    PamServices,
    /// `[pam.services.NAME]`
    Service,
    /// `[local]`, which holds only `[[local.callers]]`.
    Local,
    /// `[[local.callers]]`
    LocalCaller,
    /// `[radius]`
    Radius,
    /// `[audit]`, which holds only `[audit.syslog]`.
    Audit,
    /// `[audit.syslog]`
    Syslog,
    /// `[delivery]`
    Delivery,
    /// `[delivery.texts]`
    DeliveryTexts,
    /// `[delivery.events]`
    DeliveryEvents,
    /// `[[delivery.gateway]]`
    Gateway,
    /// The top of `clients.toml`.
    ClientsTop,
    /// `[[client]]` of `clients.toml`
    Client,
    /// The top of a file with accounts.
    AccountsTop,
    /// `[[account]]` of such a file.
    Account,
    /// `[[account.contact]]`
    AccountContact,
    /// `[[account.factor]]`
    AccountFactor,
    /// `[sealed]` of a file with accounts and secrets.
    Sealed,
}

impl Part {
    /// How the table is written.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::Top | Self::ClientsTop | Self::AccountsTop => "",
            Self::Names => "[names]",
            Self::Primary => "[primary]",
            Self::Privileged => "[privileged]",
            Self::BreakGlass => "[break-glass]",
            Self::Rule => "[[rule]]",
            Self::Registration => "[registration]",
            Self::Opening => "[[registration.opening]]",
            Self::Pam => "[pam]",
            Self::PamServices => "[pam.services]",
            Self::Service => "[pam.services.NAME]",
            Self::Local => "[local]",
            Self::LocalCaller => "[[local.callers]]",
            Self::Radius => "[radius]",
            Self::Audit => "[audit]",
            Self::Syslog => "[audit.syslog]",
            Self::Delivery => "[delivery]",
            Self::DeliveryTexts => "[delivery.texts]",
            Self::DeliveryEvents => "[delivery.events]",
            Self::Gateway => "[[delivery.gateway]]",
            Self::Client => "[[client]]",
            Self::Account => "[[account]]",
            Self::AccountContact => "[[account.contact]]",
            Self::AccountFactor => "[[account.factor]]",
            Self::Sealed => "[sealed]",
        }
    }

    /// The tables that may stand in it.
    #[must_use]
    pub const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Top => &[
                "names",
                "primary",
                "privileged",
                "break-glass",
                "rule",
                "registration",
                "pam",
                "local",
                "radius",
                "audit",
                "delivery",
            ],
            Self::Registration => &["opening"],
            Self::Pam => &["services"],
            Self::Local => &["callers"],
            Self::Audit => &["syslog"],
            Self::Delivery => &["texts", "events", "gateway"],
            Self::ClientsTop => &["client"],
            Self::AccountsTop => &["sealed", "account"],
            Self::Account => &["contact", "factor"],
            Self::Names
            | Self::Primary
            | Self::Privileged
            | Self::BreakGlass
            | Self::Rule
            | Self::Opening
            | Self::PamServices
            | Self::Service
            | Self::LocalCaller
            | Self::Radius
            | Self::Syslog
            | Self::DeliveryTexts
            | Self::DeliveryEvents
            | Self::Gateway
            | Self::Client
            | Self::AccountContact
            | Self::AccountFactor
            | Self::Sealed => &[],
        }
    }

    /// The keys that may stand in it.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().chain(&accounts::KEYS).copied().filter(move |key| key.part == self)
    }
}
