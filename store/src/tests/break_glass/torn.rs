//! What the break-glass file survives: short writes, flipped bits, and other files in its place.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use common::Reason;
use common::chain::ChainMac;
use common::ports::{BreakGlass as _, Store as _, StoreError};
use proptest::prelude::*;

use super::{Den, applies, key, load, loaded, login, open, own_uid, root, verified};
use crate::break_glass::layout::{FILE_OCTETS, RECORDS_MAX, SLOT_OCTETS, record_begins, slot_begins};
use crate::conformance::samples::{account, factor, name, session, step};
use crate::{BreakGlassFile, Trouble};

fn slot(pair: usize, side: u64) -> usize {
    slot_begins(pair, side).try_into().unwrap()
}

#[test]
fn a_write_that_is_cut_off_anywhere_leaves_what_was_there_or_all_that_is_new() {
    let den = Den::with_root();
    let before = den.octets();
    assert!(applies(&den.file(), login(step(1, 1, 40))));
    let after = den.octets();
    let spent = load(&den.file(), "root").unwrap();
    let first = slot(0, 0);
    for begins in [0, 1].map(|side| first + side * SLOT_OCTETS) {
        let other = if begins == first { first + SLOT_OCTETS } else { first };
        for cut in 0..1200 {
            // The other slot is still as before while this one is written first, and has been written when it is second.
            for (image, other_image) in [(&after, &before), (&after, &after)] {
                den.put(other, &other_image[other..other + 1200]);
                den.put(begins, &before[begins..begins + 1200]);
                den.put(begins, &image[begins..begins + cut]);
                let found = load(&den.file(), "root").unwrap();
                assert_eq!(found.account, Some(root(1)));
                if other_image == &after {
                    assert_eq!(found.spent_steps, spent.spent_steps, "lost at {cut}");
                } else {
                    assert!(found.spent_steps.is_empty() || found.spent_steps == spent.spent_steps);
                }
            }
        }
    }
}

#[test]
fn a_record_that_is_cut_off_anywhere_is_no_record_and_the_next_one_goes_on() {
    let den = Den::with_root();
    let file = den.file();
    for at in 1..=RECORDS_MAX {
        assert!(applies(&file, login(step(1, 1, at))));
    }
    let before = den.octets();
    let mut last = login(step(1, 1, 1000));
    last.records[0].attempt = session(2);
    assert!(applies(&file, last));
    let after = den.octets();
    let begins = usize::try_from(record_begins(RECORDS_MAX + 1)).unwrap();
    for cut in 0..100 {
        den.put(begins, &before[begins..begins + 700]);
        den.put(begins, &after[begins..begins + cut]);
        let kept = verified(&den.file());
        assert_eq!(u64::try_from(kept.len()).unwrap(), RECORDS_MAX - 1, "cut at {cut}");
    }
    assert!(applies(&den.file(), login(step(1, 1, 1001))));
    assert_eq!(verified(&den.file()).last(), Some(&(RECORDS_MAX + 1)));
}

#[test]
fn slots_that_were_swapped_are_nobody() {
    let den = Den::with_root();
    den.file().keep(&loaded(account(2, "alice"))).unwrap();
    let octets = den.octets();
    let content = |pair, side| {
        let begins = slot(pair, side);
        &octets[begins..begins + SLOT_OCTETS]
    };
    for (pair, other) in [(0, 1), (1, 0)] {
        for side in [0, 1] {
            den.put(slot(pair, side), content(other, side));
        }
    }
    for user in ["root", "alice", "bob"] {
        assert!(matches!(load(&den.file(), user), Err(StoreError::Damaged { .. })), "{user}");
    }
    assert_eq!(den.file().survey().unwrap().damaged_slots, 4);
    // The administrator's way out.
    den.file().keep_only(&[name("root")].into()).unwrap();
    den.file().keep(&loaded(root(1))).unwrap();
    assert_eq!(load(&den.file(), "root").unwrap().account, Some(root(1)));
}

#[test]
fn a_file_of_another_key_is_told_apart_and_an_older_key_still_opens() {
    let den = Den::with_root();
    let uid = own_uid(&den.path);
    let other = BreakGlassFile::new(den.path.clone(), uid, vec![key(1, 8)]);
    let refused = load(&other, "root").unwrap_err();
    assert_eq!((refused.reason(), Trouble::of(&refused)), (Reason::KeyUnavailable, Trouble::WrongKey));
    let rotated = BreakGlassFile::new(den.path.clone(), uid, vec![key(2, 7), key(1, 9)]);
    assert!(applies(&rotated, login(step(1, 1, 40))));
    assert!(!applies(&rotated, login(step(1, 1, 40))));
    assert_eq!(verified(&rotated), [1]);
}

#[test]
fn what_is_no_file_of_ours_is_refused_by_name() {
    let den = Den::with_root();
    let trouble = |path: &Path| Trouble::of(&load(&open(path), "root").unwrap_err());
    let folder = den.path.parent().unwrap();
    assert_eq!(trouble(&folder.join("none")), Trouble::Absent);
    let link = folder.join("link");
    symlink(&den.path, &link).unwrap();
    assert_eq!(trouble(&link), Trouble::Exposed);
    let rights = |mode| fs::set_permissions(&den.path, Permissions::from_mode(mode)).unwrap();
    rights(0o640);
    assert_eq!(trouble(&den.path), Trouble::Exposed);
    rights(0o600);
    let cut = folder.join("cut");
    fs::copy(&den.path, &cut).unwrap();
    OpenOptions::new().write(true).open(&cut).unwrap().set_len(FILE_OCTETS - 1).unwrap();
    assert_eq!(trouble(&cut), Trouble::Damaged);
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    assert_eq!(trouble(&den.path), Trouble::Exposed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens to the octets: the account that was kept, or nothing that could be used; and one flipped bit
    /// brings no spent code back.
    #[test]
    fn flipped_bits_never_make_an_account(
        places in prop::collection::vec((0..4096_usize, 0..8_u8), 1..40),
        pair in 0..3_usize,
    ) {
        let den = Den::with_root();
        prop_assert!(applies(&den.file(), login(step(1, 1, 40))));
        let mut octets = den.octets();
        for (place, bit) in &places {
            let pair = if pair == 2 { 8 } else { pair };
            let begins = slot(pair, u64::from(bit & 1));
            octets[begins + place % 900] ^= 1 << bit;
        }
        den.put(0, &octets);
        match load(&den.file(), "root") {
            Ok(found) => {
                prop_assert_eq!(found.account, Some(root(1)));
                if places.len() == 1 {
                    prop_assert_eq!(found.spent_steps, vec![(factor(1), 40)]);
                }
            }
            Err(error) => prop_assert!(places.len() > 1, "{error}"),
        }
        let _ = den.file().commit(&[login(step(1, 1, 41))]);
        let _ = den.file().survey();
    }
}

#[test]
fn flipped_bits_in_the_ring_never_make_a_record() {
    let den = Den::with_root();
    for at in 1..=5 {
        assert!(applies(&den.file(), login(step(1, 1, at))));
    }
    let head = den.file().survey().unwrap().head;
    for octet in 0..400 {
        let begins = usize::try_from(record_begins(5)).unwrap() + octet;
        let was = den.octets()[begins];
        den.put(begins, &[was ^ 0x10]);
        let survey = den.file().survey().unwrap();
        assert!(survey.head.sequence == 4 || survey.head == head, "octet {octet}");
        assert_ne!(survey.head.mac, ChainMac::BEGINNING);
        den.put(begins, &[was]);
    }
    assert_eq!(verified(&den.file()), [1, 2, 3, 4, 5]);
}
