//! The program that the fuzzer drives: `--target=NAME` says what with. `cargo xtask fuzz` builds it with coverage and
//! gives the other arguments, which are libFuzzer's.
#![no_main]

use std::sync::OnceLock;

use fuzz::Target;

/// libFuzzer passes over arguments that begin with two hyphens.
const OPTION: &str = "--target=";

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: choose(), |octets: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.run)(octets);
    }
});

fn choose() {
    let name = std::env::args().find_map(|argument| argument.strip_prefix(OPTION).map(str::to_owned));
    let Some(target) = name.as_deref().and_then(fuzz::target) else {
        eprintln!("which target? {OPTION}NAME, where NAME is a folder of fuzz/corpus");
        std::process::exit(2);
    };
    let _ = CHOSEN.set(target);
}
