//! Every input of the corpus through its target: seeds, and whatever was found once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Octets of all that is committed: the fuzzer finds the rest again.
const CORPUS_OCTETS_MAX: usize = 300_000;
/// Inputs of one target.
const INPUTS_MAX: usize = 60;

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn replay(name: &str) {
    let target = fuzz::target(name).unwrap();
    let inputs = entries(&corpus().join(name));
    assert!(!inputs.is_empty(), "nothing was replayed");
    for path in inputs {
        // The last line on the screen names the culprit.
        println!("{}", path.display());
        (target.run)(&fs::read(&path).unwrap());
    }
}

#[test]
fn every_target_has_a_corpus_and_no_other_folder_is_there() {
    let names: BTreeSet<_> = fuzz::TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let folders =
        entries(&corpus()).iter().map(|path| path.file_name().unwrap().to_string_lossy().into()).collect();
    assert_eq!(names, folders);
}

#[test]
fn the_corpus_is_small() {
    let mut octets = 0;
    for folder in entries(&corpus()) {
        let inputs = entries(&folder);
        assert!(inputs.len() <= INPUTS_MAX, "{} has {} inputs", folder.display(), inputs.len());
        octets += inputs.iter().map(|path| fs::read(path).unwrap().len()).sum::<usize>();
    }
    assert!(octets <= CORPUS_OCTETS_MAX, "{octets} octets");
}

/// What no seed names the fuzzer will hardly guess.
#[test]
fn a_seed_has_every_key_of_the_configuration_and_is_right() {
    let seed = fs::read_to_string(corpus().join("config/every-key")).unwrap();
    let (settings, clients) = seed.split_once("#### clients.toml ####\n").unwrap();
    let path = Path::new("/etc/countersign/countersign.toml");
    assert!(assembly::config::Settings::from_texts(path, settings, clients).is_ok());
    for key in assembly::config::keys::KEYS {
        let is_there = seed.lines().any(|line| line.starts_with(&format!("{} = ", key.name)));
        assert!(is_there, "write a line with the key {} into fuzz/corpus/config/every-key", key.name);
    }
}

/// A test for each target; one that is forgotten here is missed below.
macro_rules! replays {
    ($($name:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*
    };
}

replays! { attributes config import local_request module_arguments packet pam_stack prompt_answers sshd_config state }

#[test]
fn every_target_is_replayed() {
    let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, REPLAYED);
}
