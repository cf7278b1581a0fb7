//! Answers to prompts, sorted as the PAM module and the RADIUS server do it, and put to a real engine: two octets of
//! circumstances, the name in a line, then an answer in each line, where the octets 1 to 3 stand for what is right now.
//! Whoever gets in has given the right proof, and the same answers do not let in again.

use assembly::local::wire::Words;
use common::attempt::{Appended, Dialogue, Door, FirstAnswer, Place, Profile, SecondQuestion};
use common::engine::Reply;
use common::login::Accept;
use common::session::Session;
use common::{Answer, Attempt, Grounds, PrimaryMode, Secret, Target, TypedName, Verdict, limits};

use crate::doors::answer;
use crate::input::Input;
use crate::people::People;
use crate::world::at_sshd;

/// Who an attempt is about, as far as it matters to who may get in.
const UNASKED: [&str; 2] = ["bob", "carol"];

pub(crate) fn run(octets: &[u8]) {
    let _ = verdict(octets);
}

/// How it ended, if it did.
fn verdict(octets: &[u8]) -> Option<Verdict> {
    let mut input = Input::new(octets);
    let (first, second) = (input.octet(), input.octet());
    let attempt = attempt(first, second, input.until(b'\n'));
    let seconds = if second & 0x20 == 0 { 0 } else { 31 };
    let words = if first & 0x04 == 0 { Words::Heard } else { Words::Unheard };
    let people = People::new();
    let mut given = Vec::new();
    let verdict = hold(&people, &attempt, words, seconds, || {
        (!input.is_empty()).then(|| given.push(people.fill_in(input.until(b'\n'))))?;
        given.last().cloned()
    });
    let Some(Verdict::Accept(accept)) = &verdict else { return verdict };
    may_get_in(&people, &attempt, accept, &given, seconds);

    // The clock stands still, so that all codes are the same as before.
    people.turn_clock_back();
    let mut again = given.iter().cloned();
    if let Some(Verdict::Accept(accept)) = hold(&people, &attempt, words, seconds, || again.next()) {
        let is_spent = matches!(accept.grounds(), Grounds::BothProofs | Grounds::SecondProof);
        let is_kept = given.iter().any(|answer| ends_with_one_of(answer, &people.app_passwords));
        assert!(!is_spent || is_kept, "{given:?}");
    }
    verdict
}

fn attempt(first: u8, second: u8, typed: &[u8]) -> Attempt {
    let is_pam = second & 0x01 == 0;
    let primary = match first & 0x03 {
        0 => PrimaryMode::Own,
        1 => PrimaryMode::Stack,
        2 => PrimaryMode::Failed,
        _ => PrimaryMode::None,
    };
    Attempt {
        door: if is_pam { Door::Pam } else { Door::Radius },
        place: if is_pam { Place::Service("sshd".to_owned()) } else { Place::Client("vpn".to_owned()) },
        typed: TypedName::new(typed),
        target: if second & 0x10 == 0 { Target::Ordinary } else { Target::Root },
        primary: if is_pam { primary } else { PrimaryMode::Own },
        profile: profile(first, if is_pam { 0 } else { second }),
        ..at_sshd("")
    }
}

fn profile(first: u8, second: u8) -> Profile {
    Profile {
        dialogue: if first & 0x08 == 0 { Dialogue::Neutral } else { Dialogue::Plain },
        appended: match first & 0x30 {
            0 => Appended::Refused,
            0x10 => Appended::AfterDelimiter,
            _ => Appended::ByShape,
        },
        first_answer: match second & 0x06 {
            0x02 => FirstAnswer::Code,
            0x04 => FirstAnswer::AppPassword,
            _ => FirstAnswer::Password,
        },
        second_question: if second & 0x08 == 0 { SecondQuestion::Asked } else { SecondQuestion::Impossible },
    }
}

/// One login; `None` where the answers ended before it did.
fn hold(
    people: &People,
    attempt: &Attempt,
    words: Words,
    seconds: u64,
    mut next: impl FnMut() -> Option<Vec<u8>>,
) -> Option<Verdict> {
    let mut door = Sorting { attempt, words, password: None };
    let first = door.first(&mut next);
    let mut reply = people.engine().begin(attempt, first.as_ref());
    for _ in 0..=limits::ROUNDS_MAX + 1 {
        let (session, prompt) = match reply {
            Reply::Done(_, verdict) => return Some(verdict),
            Reply::Ask(session, prompt) => (session, prompt),
        };
        assert!((1..=limits::PROMPT_OCTETS_MAX).contains(&prompt.text().len()));
        let Some(typed) = next() else {
            people.engine().abandon(attempt, &session);
            return None;
        };
        let session = if attempt.door == Door::Radius { carry(people, attempt, &session) } else { *session };
        people.wait(seconds);
        reply = people.engine().answer(attempt, &session, &door.sort(typed));
    }
    panic!("it never stops asking");
}

/// To the client and back, in a `State`.
fn carry(people: &People, attempt: &Attempt, session: &Session) -> Session {
    let (engine, client, typed) = (people.engine(), attempt.place.name(), attempt.typed.as_str());
    let sealed = session.seal(engine.keys(), engine.random(), client, typed).unwrap();
    let opened = Session::open(engine.keys(), engine.now(), client, typed, &sealed).unwrap();
    assert_eq!(opened, *session);
    opened
}

/// What a door does with answers before the engine sees them.
struct Sorting<'a> {
    attempt: &'a Attempt,
    words: Words,
    password: Option<Secret>,
}

impl Sorting<'_> {
    /// What the door has before anything is asked: a packet's password, or that of an earlier module.
    fn first(&mut self, next: &mut impl FnMut() -> Option<Vec<u8>>) -> Option<Answer> {
        if self.attempt.door == Door::Radius {
            return next().map(|octets| Answer::from_octets(Secret::new(octets)));
        }
        if self.attempt.primary == PrimaryMode::Own {
            return None;
        }
        self.password = next().map(Secret::new);
        let is_tried = self.attempt.primary == PrimaryMode::Failed;
        self.password.clone().filter(|_| is_tried).map(answer::to_password)
    }

    fn sort(&mut self, octets: Vec<u8>) -> Answer {
        let typed = Secret::new(octets);
        if self.attempt.door == Door::Radius {
            return Answer::from_octets(typed);
        }
        let is_made_up = answer::is_of_sshd(&typed);
        let sorted = if self.attempt.primary == PrimaryMode::Own && self.password.is_none() {
            self.password = Some(typed.clone());
            answer::to_password(typed)
        } else {
            answer::to_code(typed, self.password.as_ref(), self.words)
        };
        let guess = matches!(&sorted, Answer::Text(text) if text.expose() != b"?");
        assert!(!(is_made_up && guess), "what sshd makes up is no guess");
        sorted
    }
}

/// Judges an accept by what was typed and nothing else.
fn may_get_in(people: &People, attempt: &Attempt, accept: &Accept, given: &[Vec<u8>], seconds: u64) {
    let name = attempt.typed.as_str();
    assert_eq!(accept.user().as_str(), name);
    let asks_password =
        attempt.primary == PrimaryMode::Own && attempt.profile.first_answer == FirstAnswer::Password;
    let first = given.first().map(Vec::as_slice).unwrap_or_default();
    let gave = |proofs: &[String]| given.iter().any(|answer| ends_with_one_of(answer, proofs));
    let elapsed = seconds * u64::try_from(given.len()).unwrap();
    match accept.grounds() {
        Grounds::AppPassword => assert!(name == "alice" && gave(&people.app_passwords)),
        Grounds::BothProofs | Grounds::SecondProof => {
            assert!(name == "alice" && attempt.primary != PrimaryMode::Failed);
            assert!(gave(&people.second_proofs(elapsed)), "{given:?}");
            assert!(!asks_password || first.starts_with(b"pw"), "{given:?}");
        }
        Grounds::PrimaryAlone => {
            assert!(UNASKED.contains(&name) && attempt.primary != PrimaryMode::Failed);
            assert!(!asks_password || first == b"pw", "{given:?}");
        }
        Grounds::PolicyAlone => {
            assert!(UNASKED.contains(&name) && attempt.primary == PrimaryMode::None);
        }
    }
}

/// Whether an answer is one of the proofs, or a password with one behind it, as people type them.
fn ends_with_one_of(answer: &[u8], proofs: &[String]) -> bool {
    let plain = |octets: &[u8]| -> Vec<u8> {
        let kept = octets.iter().filter(|octet| !octet.is_ascii_whitespace() && **octet != b'-');
        kept.map(u8::to_ascii_lowercase).collect()
    };
    let answer = plain(answer);
    proofs.iter().any(|proof| answer.ends_with(&plain(proof.as_bytes())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Verdict, verdict};

    /// A target whose right answers are not right any more would find nothing.
    #[test]
    fn the_seeds_that_should_get_in_do() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/prompt_answers");
        let mut seen = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let should = path.file_name().unwrap().to_string_lossy().starts_with("in-");
            let does = matches!(verdict(&fs::read(&path).unwrap()), Some(Verdict::Accept(_)));
            assert!(does || !should, "{}", path.display());
            seen += usize::from(does);
        }
        assert!(seen >= 10, "{seen} seeds get in");
    }
}
