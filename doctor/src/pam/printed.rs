//! The stacks of docs/pam.md: the only ones that are called sound.

use common::PrimaryMode;

use super::control::Actions;
use super::modules::Part;
use super::stack::{Call, Step};

/// A stack of docs/pam.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// (a): ours alone, which asks for everything.
    A,
    /// (b): the system's password, app passwords, then the code. Also its form of two lines.
    B,
    /// (c): the code behind a public key.
    C,
}

/// Arguments of a module for first passwords that change nothing about who gets in.
const PLAIN_ARGUMENTS: [&str; 9] = [
    "audit",
    "debug",
    "forward_pass",
    "likeauth",
    "nodelay",
    "quiet",
    "quiet_success",
    "try_first_pass",
    "use_uid",
];

/// Modules that stand in distributions' files around the lines that decide, and decide nothing there.
const SURROUNDINGS: [&str; 14] = [
    "pam_cap.so",
    "pam_echo.so",
    "pam_env.so",
    "pam_faildelay.so",
    "pam_gnome_keyring.so",
    "pam_group.so",
    "pam_issue.so",
    "pam_keyinit.so",
    "pam_kwallet.so",
    "pam_kwallet5.so",
    "pam_motd.so",
    "pam_nologin.so",
    "pam_securetty.so",
    "pam_warn.so",
];

impl Printed {
    /// Its letter.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
        }
    }

    /// Which of them a stack is, if any.
    #[must_use]
    pub fn recognise(service: &str, steps: &[Step], parts: &[Part]) -> Option<Self> {
        if steps
            .iter()
            .any(|step| step.level > 0 || matches!(step.call, Call::Substack | Call::Refusal { .. }))
        {
            return None;
        }
        let lines: Vec<(&Step, &Part)> = steps.iter().zip(parts).collect();
        let begin = lines.iter().position(|line| !surrounds(service, line))?;
        let end = lines.iter().rposition(|line| !surrounds(service, line))?;
        let core = lines.get(begin..=end)?;
        match core {
            [one] if is(one, "required") => match one.1 {
                Part::Ours(PrimaryMode::Own) => Some(Self::A),
                Part::Ours(PrimaryMode::None) => Some(Self::C),
                _ => None,
            },
            [password, ours] if is(password, "requisite") && is(ours, "required") => {
                (is_password(password) && *ours.1 == Part::Ours(PrimaryMode::Stack)).then_some(Self::B)
            }
            [password, failed, stack] => {
                let controls = is(password, "success=1 default=ignore")
                    && is(failed, "success=done default=die")
                    && is(stack, "required");
                let modes = *failed.1 == Part::Ours(PrimaryMode::Failed)
                    && *stack.1 == Part::Ours(PrimaryMode::Stack);
                (controls && modes && is_password(password)).then_some(Self::B)
            }
            _ => None,
        }
    }
}

fn surrounds(service: &str, (step, part): &(&Step, &Part)) -> bool {
    let name = step.module().unwrap_or_default();
    let is_for_root = **part == Part::RootOnly
        && matches!(service, "su" | "su-l" | "runuser" | "runuser-l")
        && is(&(step, part), "sufficient");
    let falls_through = ["required", "requisite", "optional"].iter().any(|word| is(&(step, part), word));
    is_for_root || SURROUNDINGS.contains(&name) && falls_through && **part != Part::Missing
}

fn is((step, _): &(&Step, &Part), control: &str) -> bool {
    let table = Actions::of_word(control).or_else(|| Actions::of_brackets(control).ok());
    table.is_some_and(|table| table == step.actions)
}

fn is_password((step, part): &(&Step, &Part)) -> bool {
    let is_plain = |argument: &String| PLAIN_ARGUMENTS.contains(&argument.as_str());
    matches!(part, Part::Password { hands_on: true, takes_empty: false })
        && step.arguments().iter().all(is_plain)
}
