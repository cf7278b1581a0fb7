//! A telephone that answers by SIP, and the program that calls it: it makes speech of what comes on its standard input and
//! plays it once somebody has answered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use test_ground::{Daemon, Failure, checked, wait_for};

use super::folder;
use crate::site::Site;

const PORT: u16 = 5070;

/// The telephone; one for all tests.
pub(crate) struct Telephone {
    folder: PathBuf,
    _callee: Mutex<Daemon>,
}

static TELEPHONE: OnceLock<Result<Telephone, Failure>> = OnceLock::new();

/// What calls: nothing of it is ours but the words on standard input.
const CALL: &str = r#"#!/bin/sh
set -e
cd "$(mktemp -d)"
cat > spoken.txt
espeak-ng -s 120 -w spoken.wav -f spoken.txt
sox spoken.wav -t al -r 8000 -c 1 spoken.alaw
sipp 127.0.0.1:@PORT@ -sf @FOLDER@/call.xml -s "$1" -m 1 -l 1 -nostdin -timeout 30 -timeout_error -trace_err > sipp.out 2>&1
cp spoken.txt @FOLDER@/spoken.txt
echo called
"#;

/// One call, as sipp makes it: INVITE, the speech, BYE.
const SCENARIO: &str = r#"<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: countersign <sip:countersign@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: sip:countersign@[local_ip]:[local_port]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=countersign 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: countersign <sip:countersign@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0
  ]]></send>
  <nop><action><exec rtp_stream="spoken.alaw,1,8"/></action></nop>
  <pause milliseconds="1500"/>
  <send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: countersign <sip:countersign@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0
  ]]></send>
  <recv response="200"/>
</scenario>
"#;

impl Telephone {
    pub(crate) fn here() -> Result<&'static Self, Failure> {
        let telephone = TELEPHONE.get_or_init(Self::start);
        telephone
            .as_ref()
            .map_err(|failure| Failure::Unreadable { what: "telephone", found: format!("{failure:?}") })
    }

    fn start() -> Result<Self, Failure> {
        let site = Site::here()?;
        let folder = folder(site, "telephone")?;
        checked(Command::new("chown").arg("countersign").arg(&folder))?;
        site.machine.write(&folder.join("call.xml"), SCENARIO)?;
        let program = folder.join("call");
        let text =
            CALL.replace("@PORT@", &PORT.to_string()).replace("@FOLDER@", &folder.display().to_string());
        site.machine.write(&program, &text)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
            .map_err(Failure::file("open", &program))?;
        let mut command = Command::new("sipp");
        command.current_dir(&folder).args(["-sn", "uas", "-i", "127.0.0.1", "-p", &PORT.to_string()]);
        command.args(["-trace_msg", "-message_file", "messages", "-nostdin"]);
        let callee = Daemon::start(&mut command, &folder.join("callee.out"))?;
        Ok(Self { folder, _callee: Mutex::new(callee) })
    }

    /// The settings of the gateway, as docs/delivery.md has them.
    pub(crate) fn gateway(&self, name: &str) -> String {
        format!(
            "[[delivery.gateway]]\nname = \"{name}\"\nchannels = [\"call\"]\nkind = \"program\"\ntimeout-seconds = 60\n\
             command = [\"{}\", \"{{to}}\"]\n",
            self.folder.join("call").display()
        )
    }

    /// Waits until the telephone has been called under this number, has answered, and the caller has hung up.
    pub(crate) fn wait_for_call(&self, number: &str) -> Result<(), Failure> {
        wait_for(&format!("a call to {number}"), 40, || {
            let messages =
                fs::read_to_string(self.folder.join("messages")).map_err(|error| error.to_string())?;
            let has = |method: &str| messages.contains(&format!("{method} sip:{number}@"));
            if has("INVITE") && has("ACK") && has("BYE") { Ok(()) } else { Err(messages) }
        })
    }

    /// What was said.
    pub(crate) fn spoken(&self) -> Result<String, Failure> {
        wait_for("the words of a call", 20, || {
            fs::read_to_string(self.folder.join("spoken.txt")).map_err(|error| error.to_string())
        })
    }
}
