//! Reads `[delivery]` and the texts below it; gateways apart.

use common::address::Channel;
use common::message::Event;
use common::notices::NoticeChannels;
use common::number_rules::{CountryPrefix, NumberPattern, NumberRules};
use common::template::{Placeholder, Template};
use common::wording::{Shown, Text, Wording, can_show_in_event};

use crate::delivery::Delivery;
use crate::delivery_keys::{CODES_PER_DAY, COUNTRIES, EVENTS, FORBIDDEN_NUMBERS, NOTICES, TEXTS};
use crate::gateways_toml;
use crate::keys::{Key, Part};
use crate::limits;
use crate::report::Report;
use crate::section::{Entry, Section};
use crate::values::{Least, Wrong, list, near, text, whole_number};

/// What `[delivery]` says: for the policy, and for who sends.
pub(crate) struct ReadDelivery {
    pub(crate) numbers: NumberRules,
    pub(crate) codes_per_day: u32,
    pub(crate) notices: NoticeChannels,
    pub(crate) delivery: Delivery,
}

pub(crate) fn read(
    top: &Section<'_>,
    folder: &std::path::Path,
    report: &mut Report<'_>,
) -> Option<ReadDelivery> {
    let section = top.table("delivery", Part::Delivery, report);
    let limit = |entry: &Entry<'_>, report: &mut Report<'_>| {
        whole_number(entry, report, limits::CODES_PER_DAY_MAX).map(u32::from)
    };
    let codes_per_day = section.field(&CODES_PER_DAY, report, limit).or(common::limits::CODES_PER_DAY);
    let notices =
        section.field(&NOTICES, report, |entry, report| list(entry, report, Least::One, notice_channel));
    let countries = section.field(&COUNTRIES, report, |entry, report| {
        list(entry, report, Least::None, |text| CountryPrefix::parse(text).ok_or(Wrong::NotAllowed))
    });
    let forbidden = section.field(&FORBIDDEN_NUMBERS, report, |entry, report| {
        list(entry, report, Least::None, |text| NumberPattern::parse(text).ok_or(Wrong::NotAllowed))
    });
    let wording = read_wording(&section, report);
    let gateways = gateways_toml::read(&section, folder, report);
    let notices = notices.optional();
    let countries = countries.optional();
    let forbidden = forbidden.or(Vec::new());
    let delivery = Delivery { gateways: gateways?, wording: wording? };
    let standard = || NoticeChannels::STANDARD.into();
    let wanted = notices?.map_or_else(standard, |all| all.into_iter().map(|placed| placed.value).collect());
    Some(ReadDelivery {
        numbers: NumberRules {
            countries: countries?.map(|all| all.into_iter().map(|placed| placed.value).collect()),
            forbidden: forbidden?.into_iter().map(|placed| placed.value).collect(),
        },
        codes_per_day: codes_per_day?,
        notices: NoticeChannels { wanted, delivered: delivery.notice_channels() },
        delivery,
    })
}

/// Nobody is called because something has changed.
fn notice_channel(word: &str) -> Result<Channel, Wrong> {
    Channel::parse(word).filter(|channel| *channel != Channel::Call).ok_or(Wrong::NotAllowed)
}

fn read_wording(section: &Section<'_>, report: &mut Report<'_>) -> Option<Wording> {
    let texts = section.table("texts", Part::DeliveryTexts, report);
    let of_text = |(text, key): &(Text, &'static Key), report: &mut Report<'_>| {
        read_text(&texts, key, text.needs(), |shown| text.can_show(shown), report)
    };
    let texts_read: Vec<_> = TEXTS.iter().map(|it| (it.0, of_text(it, report))).collect();
    let events = section.table("events", Part::DeliveryEvents, report);
    let events_read: Vec<_> = EVENTS
        .iter()
        .map(|(event, key)| (*event, read_text(&events, key, &[], can_show_in_event, report)))
        .collect();
    let is_right = texts_read.iter().all(|(_, read)| read.is_some())
        && events_read.iter().all(|(_, read)| read.is_some());
    let text_of = |text: Text| texts_read.iter().find(|(it, _)| *it == text)?.1.clone().flatten();
    let event_of = |event: Event| events_read.iter().find(|(it, _)| *it == event)?.1.clone().flatten();
    Wording::new(text_of, event_of).ok().filter(|_| is_right)
}

/// A text, where it is written; `None` where it was refused.
fn read_text(
    section: &Section<'_>,
    key: &'static Key,
    needs: &[Shown],
    can_show: impl Fn(Shown) -> bool,
    report: &mut Report<'_>,
) -> Option<Option<String>> {
    let read = |written: &str| {
        let template = template::<Shown>(written, limits::TEXT_CHARACTERS_MAX)?;
        if written.contains(char::is_control) {
            return Err(Wrong::NotAllowed);
        }
        if let Some(shown) = Shown::ALL.iter().find(|shown| template.has(**shown) && !can_show(**shown)) {
            return Err(Wrong::Because(format!("{{{}}} cannot be shown here", shown.word())));
        }
        match needs.iter().find(|needed| !template.has(**needed)) {
            Some(needed) => Err(Wrong::Because(format!("{{{}}} is missing", needed.word()))),
            None => Ok(written.to_owned()),
        }
    };
    section.field(key, report, |entry, report| text(entry, report, read)).optional()
}

/// A text with placeholders, or what is wrong with it.
pub(crate) fn template<P: Placeholder>(written: &str, characters_max: usize) -> Result<Template<P>, Wrong> {
    let characters = written.chars().count();
    if characters == 0 || characters > characters_max {
        return Err(Wrong::NotAllowed);
    }
    Template::parse(written).map_err(|unknown| {
        let words: Vec<&str> = P::ALL.iter().map(|it| it.word()).collect();
        Wrong::Because(match near(&unknown.word, words.iter().copied()) {
            Some(meant) => format!("{unknown}: did you mean {{{meant}}}?"),
            None => format!("{unknown}; there are: {{{}}}", words.join("}, {")),
        })
    })
}
