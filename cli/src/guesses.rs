//! How guesses at an account stand, in plain words: what is closed by wrong answers, until when, and what ends it.

use common::UnixTime;
use common::lane::Waits;
use common::throttle::{Cap, Opening};
use serde::Serialize;

use crate::moment::rfc3339;

/// Wrong codes from sources without a recent success.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CapView {
    in_row: u32,
    /// Whether an answer from such a source is looked at now.
    open: bool,
    /// When it will be; null where it is, and where only an unlock helps.
    opens_at: Option<String>,
}

/// Sources whose answers are not looked at because of wrong ones from there.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct WaitsView {
    sources: u32,
    until: Option<String>,
}

impl CapView {
    pub(crate) fn new(cap: &Cap, now: UnixTime) -> Self {
        let opening = cap.opening(now);
        let opens_at = match opening {
            Opening::At(moment) => Some(rfc3339(moment)),
            Opening::IsOpen | Opening::ByUnlock => None,
        };
        Self { in_row: cap.in_row, open: opening == Opening::IsOpen, opens_at }
    }

    pub(crate) fn text(&self) -> String {
        let Self { in_row, open, opens_at } = self;
        let row = match in_row {
            0 => "none".to_owned(),
            _ => format!("{in_row} one after the other, from places not used lately"),
        };
        match (open, opens_at) {
            (true, _) => row,
            (false, Some(moment)) => format!("{row}: codes from such places are refused until {moment}"),
            (false, None) => format!("{row}: codes from such places are refused until an unlock"),
        }
    }
}

impl WaitsView {
    pub(crate) fn new(waits: Waits) -> Self {
        Self { sources: waits.lanes, until: waits.until.map(rfc3339) }
    }

    pub(crate) fn text(&self) -> String {
        match (self.sources, &self.until) {
            (1, Some(until)) => {
                format!("logins from 1 address or service, until {until}, after wrong answers from there")
            }
            (places, Some(until)) => {
                format!(
                    "logins from {places} addresses or services, the last until {until}, after wrong answers from there"
                )
            }
            (_, None) => "nobody".to_owned(),
        }
    }
}

/// What an unlock ended, of what was there just before.
pub(crate) fn ended(user: &str, cap: &CapView, waits: &WaitsView) -> String {
    if cap.in_row == 0 && cap.open && waits.sources == 0 {
        return format!("{user}: nothing was closed or waiting, so that nothing changes.\n");
    }
    let closed =
        if cap.open { "" } else { ", which had closed the account to codes from places not used lately" };
    let count = |number: u32, one: &str, more: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {more}"),
    };
    format!(
        "{user}: {} forgotten{closed}; {} ended. This user can sign in now from anywhere. If it was somebody else who \
         guessed, they have the first password: change it.\n",
        count(cap.in_row, "wrong code is", "wrong codes are"),
        count(waits.sources, "wait is", "waits are"),
    )
}

/// What ends all of it, where there is anything to end.
pub(crate) fn way_out(user: &str, cap: &CapView, waits: &WaitsView) -> Option<String> {
    let is_closed = !cap.open || waits.sources > 0;
    is_closed.then(|| {
        format!(
            "'countersign user unlock {user}' ends every wait at once; 'countersign audit list --user {user}' shows where \
             the wrong answers came from.\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use common::UnixTime;
    use common::lane::{Lane, Waits};
    use common::throttle::Cap;

    use super::{CapView, WaitsView, ended, way_out};

    /// Noon of a day in November.
    fn noon(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_795_348_800).plus_seconds(seconds)
    }

    fn cap(in_hour: u32, in_row: u32) -> CapView {
        CapView::new(&Cap { hour_began: noon(0), in_hour, in_row }, noon(60))
    }

    #[test]
    fn a_cap_says_what_it_refuses_and_until_when() {
        assert_eq!(cap(0, 0).text(), "none");
        assert_eq!(cap(3, 3).text(), "3 one after the other, from places not used lately");
        let closed = "20 one after the other, from places not used lately: codes from such places are refused until 2026-11-22T13:00:00Z";
        assert_eq!(cap(20, 20).text(), closed);
        let locked = "100 one after the other, from places not used lately: codes from such places are refused until an unlock";
        assert_eq!(cap(20, 100).text(), locked);
    }

    #[test]
    fn waits_say_how_many_and_until_when() {
        let lane = |failures| Lane { failures, last_at: noon(0) };
        let waits = |lanes: &[u32]| {
            lanes.iter().fold(Waits::default(), |waits, failures| waits.with(lane(*failures), noon(1)))
        };
        let text = |lanes: &[u32]| WaitsView::new(waits(lanes)).text();
        assert_eq!(text(&[4]), "nobody");
        assert_eq!(
            text(&[4, 5]),
            "logins from 1 address or service, until 2026-11-22T12:00:30Z, after wrong answers from there"
        );
        let both = "logins from 2 addresses or services, the last until 2026-11-22T12:01:00Z, after wrong answers from there";
        assert_eq!(text(&[5, 6, 1]), both);
    }

    #[test]
    fn an_unlock_says_what_it_ended() {
        let waits = |lanes| WaitsView::new(Waits { lanes, until: (lanes > 0).then(|| noon(60)) });
        assert!(ended("alice", &cap(0, 0), &waits(0)).contains("nothing was closed or waiting"));
        let closed = ended("alice", &cap(20, 20), &waits(1));
        assert!(closed.contains("20 wrong codes are forgotten, which had closed"), "{closed}");
        assert!(closed.contains("1 wait is ended"), "{closed}");
    }

    #[test]
    fn the_way_out_is_said_where_there_is_something_to_end() {
        let waits = |lanes| WaitsView::new(Waits { lanes, until: Some(noon(0)) });
        assert!(way_out("alice", &cap(19, 19), &waits(0)).is_none());
        for (cap, waits) in [(cap(20, 20), waits(0)), (cap(0, 0), waits(1))] {
            assert!(way_out("alice", &cap, &waits).is_some_and(|text| text.contains("user unlock alice'")));
        }
    }
}
