//! The lines of a PAM file, and a stack made of them gone through with whatever its modules return: the first octet of the
//! input says how many octets of return values stand before the text.

use assembly::doctor::Place;
use assembly::doctor::pam::code::Code;
use assembly::doctor::pam::control::Action;
use assembly::doctor::pam::dispatch::Course;
use assembly::doctor::pam::line::{Control, Entry, Line, lines};
use assembly::doctor::pam::stack::{Call, Step};

use crate::input::{Input, text};

/// What modules may say here.
const CODES: [Code; 4] = [Code::SUCCESS, Code::AUTH_ERR, Code::IGNORE, Code::MODULE_UNKNOWN];

pub(crate) fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let count = usize::from(input.octet());
    let said = input.take(count);
    let text = text(input.rest());
    let lines = lines(&text);
    stand_in_the_text(&lines, &text);
    let steps = steps(&lines, said);
    comes_to_an_end(&steps, said);
}

/// Lines are in order, and each begins where the text has a line.
fn stand_in_the_text(lines: &[Line], text: &str) {
    let last = u32::try_from(text.split('\n').count()).unwrap();
    assert!(lines.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert!(lines.iter().all(|line| (1..=last).contains(&line.number)));
}

/// Lines that include are substacks here, up to the line after the next.
fn steps(lines: &[Line], said: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Entry::Rule(rule) = &line.entry else { continue };
        let (call, actions) = match &rule.control {
            Control::Actions(actions) => {
                (Call::Module { path: String::new(), arguments: rule.arguments.clone() }, actions.clone())
            }
            Control::Include | Control::Substack => continue,
        };
        let level = usize::from(said.get(number).copied().unwrap_or(0) >> 6);
        let place = Place::new("/etc/pam.d/fuzz".as_ref(), line.number);
        steps.push(Step { place, text: line.text.clone(), level, call, actions });
    }
    steps
}

/// No line is asked twice, and what has failed stays so until it is reset.
fn comes_to_an_end(steps: &[Step], said: &[u8]) {
    let mut course = Course::begin(steps);
    let (mut asked, mut failed) = (None, false);
    while let Some((at, step)) = course.step(steps) {
        assert!(asked.is_none_or(|before| before < at));
        asked = Some(at);
        let code = CODES[usize::from(said.get(at).copied().unwrap_or(0) & 3)];
        failed = match step.actions.of(code) {
            Action::Bad | Action::Die => true,
            Action::Reset => false,
            Action::Ignore | Action::Ok | Action::Done | Action::Jump(_) => failed,
        };
        course = course.returns(steps, code);
    }
    assert!(!failed || course.verdict() != Code::SUCCESS);
}
