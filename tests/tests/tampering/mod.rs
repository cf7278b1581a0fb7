//! What `audit verify` finds when somebody has been at the records.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::Value;
use test_ground::{Failure, Outcome, receive};

use crate::desk::{Desk, Given};

/// A desk with five records, and the lines that its collector received of them.
fn desk_with_records() -> Result<(Desk, String), Failure> {
    let collector = UdpSocket::bind("127.0.0.1:0").expect("a collector");
    let port = collector.local_addr().expect("its address").port();
    collector.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let desk = Desk::new(&format!("udp:127.0.0.1:{port}"))?;
    let mut lines = String::new();
    for name in ["u1", "u2", "u3", "u4", "u5"] {
        desk.done(&["user", "add", name])?;
        let mut datagram = [0; 4096];
        let length = receive(&collector, &mut datagram).expect("a line of syslog");
        lines.push_str(&format!("{}\n", String::from_utf8_lossy(&datagram[..length])));
    }
    desk.machine.write(&desk.folder.join("anchors.log"), &lines)?;
    assert_eq!(desk.json(&["audit", "verify"], Given::default())?["sound"], true);
    Ok((desk, lines))
}

/// Verifies with anchors after a change; there must be this flaw at this place.
fn tampering_is_found(statements: &str, sequence: u64, kind: &str) -> Outcome {
    let (desk, lines) = desk_with_records()?;
    let anchors = desk.folder.join("anchors.log").display().to_string();
    let verify = ["audit", "verify", "--anchors", &anchors];
    let before = desk.json(&verify, Given::default())?;
    assert!(before["sound"] == true && before["tail-proven"] == true, "{before}\n{lines}");
    desk.sql(statements)?;
    let ended = desk.run(&[&verify, ["--json"].as_slice()].concat(), Given::default())?;
    assert_eq!(ended.code, 1, "{ended:?}");
    let after: Value = serde_json::from_str(&ended.output).expect("a report");
    let finding = &after["streams"][0]["findings"][0];
    assert!(finding["sequence"] == sequence && finding["flaw"]["kind"] == kind, "{after}");
    Ok(())
}

#[test]
fn a_changed_record_is_found() -> Outcome {
    let change =
        "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'u3', 'u9') AS BLOB) WHERE sequence = 3";
    tampering_is_found(change, 3, "changed")
}

#[test]
fn a_removed_record_is_found() -> Outcome {
    tampering_is_found("DELETE FROM records WHERE sequence = 2", 2, "removed")
}

#[test]
fn reordered_records_are_found() -> Outcome {
    let exchange = "UPDATE records SET sequence = 99 WHERE sequence = 2;
        UPDATE records SET sequence = 2 WHERE sequence = 4;
        UPDATE records SET sequence = 4 WHERE sequence = 99";
    tampering_is_found(exchange, 2, "reordered")
}

#[test]
fn records_cut_off_without_their_head_are_found() -> Outcome {
    tampering_is_found("DELETE FROM records WHERE sequence > 3", 4, "cut-off-before-head")
}

/// Whoever also sets the head back leaves a whole chain; only a line that left the machine tells.
#[test]
fn records_cut_off_with_their_head_are_found_by_anchors() -> Outcome {
    let cut = "DELETE FROM records WHERE sequence > 3;
        UPDATE heads SET sequence = 3, mac = (SELECT mac FROM records WHERE sequence = 3)";
    tampering_is_found(cut, 4, "cut-off-before-anchor")
}
