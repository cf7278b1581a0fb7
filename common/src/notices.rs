//! Notices: what a user hears of a change, at the numbers and addresses that were known before it. Who has just set an
//! address, or taken one away, must not be the only one who is told.

use std::collections::BTreeSet;

use crate::account::{Account, FactorKind};
use crate::address::{Address, Channel};
use crate::bundle::{Bundle, NoticeTexts};
use crate::id::{AttemptId, MessageId};
use crate::keys::{KeyError, KeyRing};
use crate::message::{By, Content, Envelope, Event, Message, Notice};
use crate::policy::Policy;
use crate::random::Random;
use crate::record::{Told, Untold};
use crate::sent::Sendings;
use crate::{UnixTime, limits};

/// Where an administrator does something.
pub const COMMAND_LINE: &str = "the command line";
/// By which channels an address hears that it is gone: it will not hear of anything any more. Nobody is called for it.
const CHANNELS_OF_THE_OLD: [Channel; 2] = [Channel::Email, Channel::Sms];

/// By which channels users hear of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeChannels {
    /// The first choice first: a later one is for users who cannot be told by those before it. Nobody is called.
    pub wanted: Vec<Channel>,
    /// By which ones a gateway delivers notices.
    pub delivered: BTreeSet<Channel>,
}

impl NoticeChannels {
    /// Mail costs nothing and can be read later; who has none gets a text message.
    pub const STANDARD: [Channel; 2] = [Channel::Email, Channel::Sms];
}

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

/// What notices are made with, besides the account.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// By which channels, and to which numbers.
    pub policy: &'a Policy,
    /// What seals them.
    pub keys: &'a KeyRing,
    /// Their ids.
    pub random: &'a dyn Random,
    /// When the user was told by text message within a day.
    pub texts: &'a Sendings,
}

/// The notices of one login or act.
#[derive(Debug, Default)]
pub struct Notices {
    envelopes: Vec<Envelope>,
    texts: Option<NoticeTexts>,
    told: Option<Told>,
}

impl Notices {
    /// Of what happens to an account that was like `before`, sealed for the outbox. A number that the policy does not send
    /// to any more is left out.
    pub fn of(
        happenings: &[Happening],
        before: Option<&Account>,
        circumstances: &Circumstances<'_>,
        means: Means<'_>,
    ) -> Result<Self, KeyError> {
        if happenings.is_empty() {
            return Ok(Self::default());
        }
        let Some(before) = before else {
            let told = Told { notices: 0, untold: Some(Untold::NoAddress) };
            return Ok(Self { told: Some(told), ..Self::default() });
        };
        let mut round =
            Round { means, at: circumstances.at, day: means.texts.clone(), texts: 0, untold: None };
        let mut envelopes = Vec::new();
        for happening in happenings {
            for (channel, to) in round.recipients(before, happening.old.as_ref()) {
                let id = MessageId::generate(means.random);
                let message = message(id, before, happening, circumstances, channel, to);
                envelopes.push(message.seal(means.keys, means.random)?);
            }
        }
        Ok(round.over(before, envelopes))
    }

    /// Puts them into the bundle of what they are about; its record says what this gives back.
    #[must_use]
    pub fn put_into(self, bundle: &mut Bundle) -> Option<Told> {
        bundle.messages.extend(self.envelopes);
        bundle.notice_texts = self.texts.or(bundle.notice_texts.take());
        self.told
    }
}

/// The notices of one bundle while they are made.
struct Round<'a> {
    means: Means<'a>,
    at: UnixTime,
    /// Text messages of the day, those of this bundle included.
    day: Sendings,
    texts: u32,
    /// Why somebody was not told; the first reason stands.
    untold: Option<Untold>,
}

impl Round<'_> {
    /// Everybody once.
    fn recipients(&mut self, before: &Account, old: Option<&Address>) -> Vec<(Channel, Address)> {
        let mut recipients: Vec<(Channel, Address)> = Vec::new();
        let old = old.and_then(|address| {
            let mut channels = CHANNELS_OF_THE_OLD.into_iter().filter(|it| self.delivers(*it));
            let channel = channels.find(|channel| address.channels().contains(channel))?;
            self.may_be_sent_to(address).then(|| (channel, address.clone()))
        });
        recipients.extend(old);
        let (channel, known) = match self.known(before) {
            Ok(known) => known,
            Err(untold) => {
                self.untold.get_or_insert(untold);
                return recipients;
            }
        };
        for address in known {
            if recipients.iter().any(|(_, other)| other == address) {
                continue;
            }
            if self.has_room(channel) {
                recipients.push((channel, address.clone()));
            }
        }
        recipients
    }

    /// By the first channel by which this user can be told: all mail addresses, or one mobile number.
    fn known<'a>(&self, before: &'a Account) -> Result<(Channel, Vec<&'a Address>), Untold> {
        let mut why = None;
        for channel in &self.means.policy.notices.wanted {
            let mut addresses = addresses(before);
            addresses.retain(|address| address.channels().contains(channel));
            if addresses.is_empty() {
                continue;
            }
            if !self.delivers(*channel) {
                why.get_or_insert(Untold::NoGateway);
                continue;
            }
            addresses.retain(|address| self.may_be_sent_to(address));
            if addresses.is_empty() {
                why.get_or_insert(Untold::NumberNotAllowed);
                continue;
            }
            addresses.truncate(if channel.costs() { 1 } else { addresses.len() });
            return Ok((*channel, addresses));
        }
        Err(why.unwrap_or(Untold::NoAddress))
    }

    fn delivers(&self, channel: Channel) -> bool {
        self.means.policy.notices.delivered.contains(&channel)
    }

    fn may_be_sent_to(&self, address: &Address) -> bool {
        self.means.policy.numbers.check_address(address).is_ok()
    }

    /// Whether the day has room for one more; what costs nothing always has.
    fn has_room(&mut self, channel: Channel) -> bool {
        if !channel.costs() {
            return true;
        }
        let has_room = self.day.add_within(self.at, limits::NOTICE_TEXTS_IN_DAY);
        if has_room {
            self.texts = self.texts.saturating_add(1);
        } else {
            self.untold.get_or_insert(Untold::TooManyTexts);
        }
        has_room
    }

    fn over(self, before: &Account, envelopes: Vec<Envelope>) -> Notices {
        let notices = u32::try_from(envelopes.len()).unwrap_or(u32::MAX);
        let untold = (notices == 0).then(|| self.untold.unwrap_or(Untold::NoAddress));
        let texts = (self.texts > 0).then(|| NoticeTexts { name: before.name.clone(), count: self.texts });
        Notices { envelopes, texts, told: Some(Told { notices, untold }) }
    }
}

/// Contacts before factors: whoever gets into an account can add one of these.
fn addresses(account: &Account) -> Vec<&Address> {
    let contacts = account.contacts.iter().map(|contact| &contact.address);
    let factors = account.factors.iter().filter_map(|factor| match &factor.kind {
        FactorKind::Sent { address } => Some(address),
        FactorKind::Totp { .. } | FactorKind::Hotp { .. } => None,
    });
    let mut addresses: Vec<&Address> = Vec::new();
    for address in contacts.chain(factors) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
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
