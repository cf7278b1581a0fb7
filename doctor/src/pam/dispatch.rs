//! How libpam goes through a stack: what a return value does, line by line, up to what the program hears. It is what
//! `pam_dispatch.c` of Linux-PAM does for `pam_authenticate`, without modules, so that every value can be tried.

use super::code::Code;
use super::control::Action;
use super::stack::{Call, Step};

/// What libpam thinks of somebody half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Impression {
    Undefined,
    Positive,
    Negative,
}

/// What was thought and what would be returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct View {
    impression: Impression,
    status: Code,
}

/// A stack half-way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Course {
    /// The line that comes next; past the last one where all is said.
    at: usize,
    view: View,
    /// What was thought when each substack was entered, the whole stack first.
    entered: Vec<View>,
}

impl Course {
    /// Before the first line.
    #[must_use]
    pub fn begin(steps: &[Step]) -> Self {
        let view = View { impression: Impression::Undefined, status: Code::PERM_DENIED };
        let mut course = Self { at: 0, view, entered: vec![view] };
        course.enter(steps);
        course
    }

    /// The line whose module is asked now; none at the end.
    #[must_use]
    pub fn step<'a>(&self, steps: &'a [Step]) -> Option<(usize, &'a Step)> {
        steps.get(self.at).map(|step| (self.at, step))
    }

    /// What the program hears at the end.
    #[must_use]
    pub fn verdict(&self) -> Code {
        match (self.view.impression, self.view.status) {
            (Impression::Positive, status) => status,
            (_, Code::SUCCESS) => Code::PERM_DENIED,
            (_, status) => status,
        }
    }

    /// The module of this line returns `code`.
    #[must_use]
    pub fn returns(mut self, steps: &[Step], code: Code) -> Self {
        let Some(step) = steps.get(self.at) else { return self };
        let level = step.level;
        match step.actions.of(code) {
            Action::Ignore => {}
            Action::Reset => self.view = self.entered.get(level).copied().unwrap_or(self.view),
            Action::Ok => self.yes(code),
            Action::Done => {
                self.yes(code);
                if self.view.impression == Impression::Positive {
                    self.leave(steps, level);
                }
            }
            Action::Bad => self.no(code),
            Action::Die => {
                self.no(code);
                self.leave(steps, level);
            }
            Action::Jump(count) => self.jump(steps, level, count),
        }
        self.at = self.at.saturating_add(1);
        self.enter(steps);
        self
    }

    fn yes(&mut self, code: Code) {
        let View { impression, status } = self.view;
        let is_open = match impression {
            Impression::Undefined => true,
            Impression::Positive => status == Code::SUCCESS,
            Impression::Negative => false,
        };
        if is_open {
            self.view = View { impression: Impression::Positive, status: code };
        }
    }

    fn no(&mut self, code: Code) {
        if self.view.impression != Impression::Negative {
            let status = if code == Code::IGNORE { Code::PERM_DENIED } else { code };
            self.view = View { impression: Impression::Negative, status };
        }
    }

    fn refuse(&mut self) {
        self.view = View { impression: Impression::Negative, status: Code::PERM_DENIED };
    }

    /// Goes to the last line of this stack or substack.
    fn leave(&mut self, steps: &[Step], level: usize) {
        while self.next_level(steps).is_some_and(|next| next >= level) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Goes over so many lines of this level; a substack with all that is in it counts as one. A jump beyond the end
    /// of the level refuses.
    fn jump(&mut self, steps: &[Step], level: usize, count: u32) {
        let mut left = count;
        while left > 0 && self.next_level(steps).is_some_and(|next| next >= level) {
            self.at = self.at.saturating_add(1);
            while self.next_level(steps).is_some_and(|next| next > level) {
                self.at = self.at.saturating_add(1);
            }
            left = left.saturating_sub(1);
        }
        if left > 0 {
            self.refuse();
        }
    }

    fn next_level(&self, steps: &[Step]) -> Option<usize> {
        steps.get(self.at.saturating_add(1)).map(|step| step.level)
    }

    /// Passes over the beginnings of substacks, and remembers what was thought there.
    fn enter(&mut self, steps: &[Step]) {
        while let Some(step) = steps.get(self.at) {
            self.entered.truncate(step.level.saturating_add(1));
            while self.entered.len() <= step.level {
                self.entered.push(self.view);
            }
            if step.call != Call::Substack {
                return;
            }
            self.at = self.at.saturating_add(1);
        }
    }
}

/// What the program hears when each line's module returns what `outcome` says.
pub fn run(steps: &[Step], mut outcome: impl FnMut(&Step) -> Code) -> Code {
    let mut course = Course::begin(steps);
    while let Some((_, step)) = course.step(steps) {
        let code = match step.call {
            Call::Refusal { .. } => Code::PERM_DENIED,
            Call::Module { .. } | Call::Substack => outcome(step),
        };
        course = course.returns(steps, code);
    }
    course.verdict()
}
