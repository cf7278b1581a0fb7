//! Questions to whoever sits here, or lines of standard input where a script does. Secrets are not echoed.

use std::io::{self, BufRead as _, IsTerminal as _, Read, Write as _};
use std::os::fd::AsFd;

use common::{Secret, limits};
use nix::errno::Errno;
use nix::sys::signal::raise;
use nix::unistd::read;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::qr;
use crate::silence::{Heard, Silence, Typed};

/// Octets of a line; a terminal takes no longer one (termios(3), canonical mode).
const LINE_OCTETS_MAX: usize = 4096;
/// The same, for readers.
const LINE_OCTETS: u64 = 4096;

/// Said where a QR code was meant to be.
const NO_PICTURE: &str = "No QR code can be drawn here: that takes a terminal with UTF-8 (LANG) and a wide window. Type the key \
     into the app instead.\n";

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// A person at a terminal.
    Terminal,
    /// A file or another program: each answer is a line.
    Script,
}

/// Who answers here.
pub(crate) fn seat() -> Seat {
    if io::stdin().is_terminal() { Seat::Terminal } else { Seat::Script }
}

/// Asks for something that nobody else may read. `what` names it where standard input has none.
pub(crate) fn secret(question: &str, what: &'static str) -> Result<Secret, Failure> {
    match seat() {
        Seat::Terminal => hidden(question, what),
        Seat::Script => secret_line(what),
    }
}

/// No echo from before the question on: whoever types fast would see the first letters otherwise.
/// Where a signal only stops us, the question is put again afterwards.
fn hidden(question: &str, what: &'static str) -> Result<Secret, Failure> {
    let failed = |error: Errno| Failure::Read { from: "the terminal", source: error.into() };
    loop {
        let silence = Silence::begin(Typed::Hidden).map_err(failed)?;
        say(question)?;
        match silence.wait().map_err(failed)? {
            Heard::Line => return typed_line(what),
            Heard::Signal(signal) => {
                drop(silence);
                say("\n")?;
                raise(signal).map_err(failed)?;
            }
        }
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut output = io::stderr().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Write)
}

/// Reads one line past the buffer of standard input, which nobody would wipe; the terminal hands over no more than one.
fn typed_line(what: &'static str) -> Result<Secret, Failure> {
    let mut buffer = Zeroizing::new([0; LINE_OCTETS_MAX]);
    let count = read(io::stdin(), buffer.as_mut_slice())
        .map_err(|error| Failure::Read { from: "the terminal", source: error.into() })?;
    match buffer.get(..count) {
        None | Some([]) => Err(Failure::NoAnswer(what)),
        Some(line) => Ok(without_line_end(line)),
    }
}

fn without_line_end(line: &[u8]) -> Secret {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    Secret::new(text.strip_suffix(b"\r").unwrap_or(text).to_vec())
}

/// The first line of a file that is not standard input.
pub(crate) fn first_line(file: impl Read) -> io::Result<Secret> {
    let mut octets = Zeroizing::new(Vec::with_capacity(LINE_OCTETS_MAX));
    file.take(LINE_OCTETS).read_to_end(&mut octets)?;
    let line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    Ok(without_line_end(line))
}

/// Reads one line of standard input without a question.
pub(crate) fn secret_line(what: &'static str) -> Result<Secret, Failure> {
    let mut line = Zeroizing::new(Vec::new());
    let read = io::stdin().lock().take(LINE_OCTETS).read_until(b'\n', &mut line);
    let count = read.map_err(|source| Failure::Read { from: "standard input", source })?;
    if count == 0 {
        return Err(Failure::NoAnswer(what));
    }
    Ok(without_line_end(&line))
}

/// Says to a person at a terminal what was wrong with an answer.
pub(crate) fn remark(text: &str) -> Result<(), Failure> {
    if seat() == Seat::Terminal { say(text) } else { Ok(()) }
}

/// Asks for something that may be seen.
pub(crate) fn answer(question: &str, what: &'static str) -> Result<String, Failure> {
    if seat() == Seat::Terminal {
        say(question)?;
    }
    let line = secret_line(what)?;
    Ok(line.expose_text().unwrap_or_default().trim().to_owned())
}

/// What came of a question with two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Yes.
    Given,
    /// Anything else.
    Withheld,
}

/// Asks yes or no; whatever is not yes is no. Whoever leaves by Ctrl-C hears that it was no.
pub(crate) fn consent(question: &str) -> Result<Consent, Failure> {
    let question = format!("{question} [y/N] ");
    if seat() == Seat::Terminal {
        let failed = |error: Errno| Failure::Read { from: "the terminal", source: error.into() };
        let waiting = Silence::begin(Typed::Shown).map_err(failed)?;
        say(&question)?;
        if let Heard::Signal(signal) = waiting.wait().map_err(failed)? {
            say("\nNothing was changed.\n")?;
            drop(waiting);
            raise(signal).map_err(failed)?;
            // Whoever stopped us and comes back has to ask anew.
            return Ok(Consent::Withheld);
        }
    }
    let line = secret_line("answer")?;
    let answer = line.expose_text().unwrap_or_default().trim().to_owned();
    let is_yes = matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes");
    Ok(if is_yes { Consent::Given } else { Consent::Withheld })
}

/// A new password: typed twice at a terminal, one line of a script.
pub(crate) fn new_password() -> Result<Secret, Failure> {
    let password = secret("New password: ", "password")?;
    if seat() == Seat::Terminal && secret("The same once more: ", "password")? != password {
        return Err(Failure::PasswordsDiffer);
    }
    usable(password)
}

/// A password from a script, whoever sits here.
pub(crate) fn password_line() -> Result<Secret, Failure> {
    usable(secret_line("password")?)
}

fn usable(password: Secret) -> Result<Secret, Failure> {
    let fits = (1..=limits::ANSWER_OCTETS_MAX).contains(&password.expose().len());
    if fits { Ok(password) } else { Err(Failure::PasswordLength) }
}

/// The columns of the terminal that reads our answers; `None` where a file or another program does.
pub(crate) fn columns_of_output() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
    io::stdout().is_terminal().then_some(usize::from(columns))
}

/// The width for pictures made of block characters; `None` where they would come out as noise.
pub(crate) fn columns_for_pictures() -> Option<u16> {
    columns_of(&io::stdout())
}

/// Draws what is to be scanned above the next question, where the terminal shows it.
pub(crate) fn draw(uri: &Secret) -> Result<(), Failure> {
    let picture = columns_of(&io::stderr()).and_then(|columns| qr::for_terminal(uri, columns));
    match picture.as_ref().and_then(Secret::expose_text) {
        Some(picture) => say(picture),
        None => remark(NO_PICTURE),
    }
}

fn columns_of(output: &(impl io::IsTerminal + AsFd)) -> Option<u16> {
    let is_fit = output.is_terminal() && is_utf8();
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(output)?;
    is_fit.then_some(columns)
}

/// The first of these that is set decides, as in setlocale(3). Nothing but the look depends on it.
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}
