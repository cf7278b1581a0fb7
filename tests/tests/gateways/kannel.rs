//! Kannel with its fake SMS centre: bearerbox, smsbox and fakesmsc, which prints what a telephone would get.

use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use test_ground::{Daemon, Failure, checked, wait_for};

use super::folder;
use crate::site::Site;

/// Where smsbox listens: this copy of the machine has all ports to itself.
const SEND_PORT: u16 = 13013;
const ADMIN_PORT: u16 = 13000;

/// Kannel, running; one for all tests.
pub(crate) struct Kannel {
    daemons: Mutex<Vec<Daemon>>,
}

static KANNEL: OnceLock<Result<Kannel, Failure>> = OnceLock::new();

impl Kannel {
    pub(crate) fn here() -> Result<&'static Self, Failure> {
        let kannel = KANNEL.get_or_init(Self::start);
        kannel
            .as_ref()
            .map_err(|failure| Failure::Unreadable { what: "kannel", found: format!("{failure:?}") })
    }

    fn start() -> Result<Self, Failure> {
        let site = Site::here()?;
        let folder = folder(site, "kannel")?;
        let settings = folder.join("kannel.conf");
        site.machine.write(&settings, &settings_text(&folder.display().to_string()))?;
        let log = |name: &str| folder.join(name);
        let of = |program: &str| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            command
        };
        let mut bearerbox =
            Daemon::start(of("bearerbox").args(["-v", "1"]).arg(&settings), &log("bearerbox.out"))?;
        bearerbox.wait_for_port(ADMIN_PORT)?;
        let mut smsbox = Daemon::start(of("smsbox").args(["-v", "1"]).arg(&settings), &log("smsbox.out"))?;
        smsbox.wait_for_port(SEND_PORT)?;
        let centre = Daemon::start(
            of("/usr/lib/kannel/test/fakesmsc").args([
                "-H",
                "127.0.0.1",
                "-r",
                "10000",
                "-m",
                "0",
                "1 2 text x",
            ]),
            &log("centre.out"),
        )?;
        wait_for("the SMS centre", 20, || {
            let status = checked(
                Command::new("curl")
                    .args(["--silent", &format!("http://127.0.0.1:{ADMIN_PORT}/status.txt?password=adm")]),
            );
            let status = status.map_err(|failure| failure.to_string())?;
            if status.contains("online") { Ok(()) } else { Err(status) }
        })?;
        Ok(Self { daemons: Mutex::new(vec![bearerbox, smsbox, centre]) })
    }

    /// The settings of the gateway, as docs/delivery.md has them.
    pub(crate) fn gateway(&self, name: &str) -> String {
        format!(
            "[[delivery.gateway]]\nname = \"{name}\"\nchannels = [\"sms\"]\nkind = \"http\"\nmethod = \"GET\"\n\
             url = \"http://127.0.0.1:{SEND_PORT}/cgi-bin/sendsms?username={{username}}&password={{password}}&to={{to}}&text={{text}}&charset=UTF-8\"\n\
             success-status = [\"202\"]\nsuccess-pattern = \"^0: \"\nusername = \"mfa\"\npassword-file = \"{name}.password\" # mfapw\n"
        )
    }

    /// What the telephone of a number got first: `text …`.
    pub(crate) fn wait_for_text(&self, number: &str) -> Result<String, Failure> {
        self.wait_for_texts(number, 1)
    }

    /// The last of so many texts that the telephone of a number got.
    pub(crate) fn wait_for_texts(&self, number: &str, count: usize) -> Result<String, Failure> {
        wait_for(&format!("text {count} to {number}"), 20, || {
            let texts = self.texts(number).map_err(|failure| failure.to_string())?;
            let last = count.checked_sub(1).and_then(|last| texts.get(last)).cloned();
            last.ok_or_else(|| format!("{texts:?}"))
        })
    }

    /// All that the telephone of a number got so far.
    pub(crate) fn texts(&self, number: &str) -> Result<Vec<String>, Failure> {
        let daemons = self.daemons.lock().unwrap_or_else(PoisonError::into_inner);
        let output = daemons.last().map_or(Ok(String::new()), Daemon::output)?;
        let got = output.lines().filter(|line| line.contains("Got message"));
        Ok(got.filter_map(|line| line.split_once(number)).map(|(_, text)| text.to_owned()).collect())
    }
}

fn settings_text(folder: &str) -> String {
    format!(
        "group = core\nadmin-port = {ADMIN_PORT}\nadmin-password = adm\nsmsbox-port = 13001\nsmsbox-interface = 127.0.0.1\n\
         log-file = \"{folder}/bearerbox.log\"\nlog-level = 0\nbox-deny-ip = \"*.*.*.*\"\nbox-allow-ip = \"127.0.0.1\"\n\
         store-type = file\nstore-location = \"{folder}/kannel.store\"\n\n\
         group = smsc\nsmsc = fake\nsmsc-id = FAKE\nport = 10000\nconnect-allow-ip = 127.0.0.1\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {SEND_PORT}\nsendsms-interface = 127.0.0.1\n\
         global-sender = 13013\nlog-file = \"{folder}/smsbox.log\"\nlog-level = 0\n\n\
         group = sendsms-user\nusername = mfa\npassword = mfapw\n\n\
         group = sms-service\nkeyword = default\ntext = \"No service specified\"\n"
    )
}
