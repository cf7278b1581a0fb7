//! The arguments of the PAM module's line: words between NULs. Nothing is guessed, and a mistake is told in one line.

use std::ffi::{CStr, CString};
use std::path::Path;

use assembly::local::arguments::{ArgumentError, Arguments, Socket};
use common::PrimaryMode;

use crate::input::Input;

pub(crate) fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let mut words = Vec::new();
    while !input.is_empty() {
        words.push(CString::new(input.until(0)).unwrap());
    }
    let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    match Arguments::parse(&words) {
        Ok(arguments) => stands_in_the_line(&arguments, &words),
        Err(error) => names_the_culprit(&error, &words),
    }
}

/// A line that is taken has one word for each thing that it says, and no other.
fn stands_in_the_line(arguments: &Arguments, words: &[&CStr]) {
    let primary = match arguments.primary {
        PrimaryMode::Own => c"primary=own",
        PrimaryMode::Stack => c"primary=stack",
        PrimaryMode::Failed => c"primary=failed",
        PrimaryMode::None => c"primary=none",
    };
    assert_eq!(words.iter().filter(|word| **word == primary).count(), 1);
    let more = [arguments.settings.is_some(), arguments.socket != Socket::Usual];
    assert_eq!(words.len(), 1 + more.into_iter().map(usize::from).sum::<usize>());
    if let Some(settings) = &arguments.settings {
        let word = format!("config={}", settings.display());
        assert!(words.iter().any(|given| given.to_bytes() == word.as_bytes()));
        assert!(settings.is_absolute() && !word.split('/').any(|part| part == ".."));
        assert_eq!(settings, Path::new(&word["config=".len()..]));
    }
}

/// The mistake is in the line, or is what is not there.
fn names_the_culprit(error: &ArgumentError, words: &[&CStr]) {
    let lines: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let stands = |text: &str| lines.iter().any(|line| line == text);
    let is_right = match error {
        ArgumentError::Unknown(word) => stands(word),
        ArgumentError::Twice(name) => lines.iter().filter(|line| line.starts_with(name)).count() >= 2,
        ArgumentError::Primary(word) => stands(&format!("primary={word}")),
        ArgumentError::Config(path) => stands(&format!("config={path}")),
        ArgumentError::Socket(word) => stands(&format!("socket={word}")),
        ArgumentError::NoPrimary => !lines.iter().any(|line| line.starts_with("primary=")),
    };
    assert!(is_right, "{error}");
}
