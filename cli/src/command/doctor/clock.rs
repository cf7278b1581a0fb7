//! Whether the clock is kept right, as systemd or chrony say.

use std::path::Path;

use assembly::doctor::{Finding, Kind, Place};

use crate::asked::asked;

/// systemd-timesyncd makes it once it has heard a server (systemd-timesyncd.service(8)).
const HEARD_A_SERVER: &str = "/run/systemd/timesync/synchronized";
/// Where servers of time are named; the first that is there.
const SETTINGS: [&str; 4] =
    ["/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/ntpsec/ntp.conf", "/etc/systemd/timesyncd.conf"];

/// How the clock fares.
pub(super) enum State {
    /// It is kept right.
    Synchronised,
    /// It is not.
    Adrift(Box<Finding>),
}

/// Asks whoever knows. The kernel's own state is what timedatectl tells; chrony tells its own.
pub(super) fn state() -> Result<State, String> {
    let timedatectl = asked("/usr/bin/timedatectl", &["show", "--property=NTPSynchronized", "--value"]);
    if let Ok(said) = &timedatectl {
        return Ok(judged(said.trim() == "yes", "timedatectl says NTPSynchronized=no"));
    }
    match asked("/usr/bin/chronyc", &["-c", "tracking"]) {
        Ok(said) => Ok(judged(is_in_step(&said), "chronyc says that it is in step with no server")),
        Err(_) if Path::new(HEARD_A_SERVER).exists() => Ok(State::Synchronised),
        Err(why) => Err(format!("{}, and {why}", timedatectl.err().unwrap_or_default())),
    }
}

/// The last word of the line is the leap status (chronyc(1), `tracking`).
fn is_in_step(said: &str) -> bool {
    let leap = said.trim().rsplit(',').next().unwrap_or_default();
    !leap.is_empty() && leap != "Not synchronised"
}

fn judged(is_right: bool, found: &str) -> State {
    if is_right {
        return State::Synchronised;
    }
    let file = SETTINGS.iter().map(Path::new).find(|file| file.exists());
    let file = file.unwrap_or(Path::new("/etc/systemd/timesyncd.conf"));
    let instead = "Have one of systemd-timesyncd, chrony and ntpsec run, with a server that answers: timedatectl set-ntp true";
    State::Adrift(Box::new(Finding::new(Kind::Clock, Place::whole(file), found, instead)))
}

#[cfg(test)]
mod tests {
    use super::is_in_step;

    /// As chrony 4.3 says it.
    #[test]
    fn chrony_says_whether_it_is_in_step() {
        assert!(is_in_step(
            "C0A80101,192.168.1.1,3,1700000000.1,0.0001,0.0,0.0,-1.2,0.0,0.0,0.0,0.0,64.0,Normal\n"
        ));
        assert!(!is_in_step(
            "00000000,,0,0.000000000,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
        ));
        assert!(!is_in_step(""));
    }
}
