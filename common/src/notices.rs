//! Notices: what a user hears of a change, at the numbers and addresses that were known before it. Who has just set an
//! address, or taken one away, must not be the only one who is told.

use crate::UnixTime;
use crate::account::{Account, FactorKind};
use crate::address::{Address, Channel};
use crate::id::{AttemptId, MessageId};
use crate::keys::{KeyError, KeyRing};
use crate::limits;
use crate::message::{By, Content, Envelope, Event, Message, Notice};
use crate::policy::Policy;
use crate::random::Random;

/// Where an administrator does something.
pub const COMMAND_LINE: &str = "the command line";
/// By which channels notices go. Mail costs nothing and can be read later.
const CHANNELS: [Channel; 1] = [Channel::Email];
/// By which channels an address hears that it is gone: it will not hear of anything any more. Nobody is called for it.
const CHANNELS_OF_THE_OLD: [Channel; 2] = [Channel::Email, Channel::Sms];

/// Something that a user should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    event: Event,
    detail: String,
    old: Option<Address>,
}

impl Happening {
    /// `detail` is more of it, such as a label or a masked number; never a secret.
    #[must_use]
    pub const fn new(event: Event, detail: String) -> Self {
        Self { event, detail, old: None }
    }

    /// An address is gone by it, and hears that too: a changed number shows at the old one.
    #[must_use]
    pub fn at_the_old(self, address: Address) -> Self {
        Self { old: Some(address), ..self }
    }
}

/// Who did it, where and when.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The login or act that it belongs to.
    pub attempt: AttemptId,
    /// Who.
    pub by: By,
    /// Where: a service, a client, [`COMMAND_LINE`].
    pub place: &'a str,
    /// From where, where that is known.
    pub source: Option<&'a str>,
    /// When.
    pub at: UnixTime,
}

/// The notices of what happens to an account that was like `before`, sealed for the outbox. There are none where it has
/// no address for them. A number that the policy does not send to any more is left out.
pub fn envelopes(
    policy: &Policy,
    before: &Account,
    happenings: &[Happening],
    circumstances: &Circumstances<'_>,
    keys: &KeyRing,
    random: &dyn Random,
) -> Result<Vec<Envelope>, KeyError> {
    let messages = happenings.iter().flat_map(|happening| {
        let mut recipients = recipients(before, happening.old.as_ref());
        recipients.retain(|(_, address)| policy.numbers.check_address(address).is_ok());
        recipients.into_iter().map(move |(channel, to)| {
            let id = MessageId::generate(random);
            message(id, before, happening, circumstances, channel, to).seal(keys, random)
        })
    });
    messages.collect()
}

fn message(
    id: MessageId,
    before: &Account,
    happening: &Happening,
    circumstances: &Circumstances<'_>,
    channel: Channel,
    to: Address,
) -> Message {
    let notice = Notice {
        event: happening.event,
        detail: happening.detail.clone(),
        by: circumstances.by,
        place: circumstances.place.to_owned(),
        source: circumstances.source.map(str::to_owned),
    };
    Message {
        id,
        attempt: circumstances.attempt,
        user: before.name.as_str().to_owned(),
        channel,
        to,
        content: Content::Notice(notice),
        at: circumstances.at,
        expires_at: circumstances.at.plus_seconds(limits::NOTICE_SECONDS),
    }
}

/// Everybody once.
fn recipients(before: &Account, old: Option<&Address>) -> Vec<(Channel, Address)> {
    let contacts = before.contacts.iter().map(|contact| &contact.address);
    let factors = before.factors.iter().filter_map(|factor| match &factor.kind {
        FactorKind::Sent { address } => Some(address),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => None,
    });
    let known = contacts.chain(factors).filter_map(|address| Some((by(address, &CHANNELS)?, address)));
    let old = old.and_then(|address| Some((by(address, &CHANNELS_OF_THE_OLD)?, address)));
    let mut recipients: Vec<(Channel, Address)> = Vec::new();
    for (channel, address) in known.chain(old) {
        if !recipients.iter().any(|(_, other)| other == address) {
            recipients.push((channel, address.clone()));
        }
    }
    recipients
}

fn by(address: &Address, channels: &[Channel]) -> Option<Channel> {
    address.channels().iter().copied().find(|channel| channels.contains(channel))
}
