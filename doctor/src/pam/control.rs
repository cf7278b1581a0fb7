//! The control of a line: what each return value of its module does to the stack (pam.conf(5)).

use super::code::Code;

/// What libpam does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing: it does not count.
    Ignore,
    /// A yes, unless something has failed before.
    Ok,
    /// The same, and the stack ends.
    Done,
    /// A no.
    Bad,
    /// The same, and the stack ends.
    Die,
    /// All that was said so far is forgotten.
    Reset,
    /// So many lines are left out.
    Jump(u32),
}

/// An action for each return value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions(Box<[Action; Code::COUNT]>);

impl Actions {
    /// What is done about a return value.
    #[must_use]
    pub fn of(&self, code: Code) -> Action {
        self.0.get(code.number()).copied().unwrap_or(Action::Bad)
    }

    /// The table of a simple word; none for other words.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let (yes, ignore, other) = match word.to_ascii_lowercase().as_str() {
            "required" => (Action::Ok, Action::Ignore, Action::Bad),
            "requisite" => (Action::Ok, Action::Ignore, Action::Die),
            "optional" => (Action::Ok, Action::Ignore, Action::Ignore),
            "sufficient" => (Action::Done, Action::Ignore, Action::Ignore),
            _ => return None,
        };
        let mut actions = Self(Box::new([other; Code::COUNT]));
        actions.set(Code::SUCCESS, yes);
        actions.set(Code::NEW_AUTHTOK_REQD, yes);
        actions.set(Code::IGNORE, ignore);
        Some(actions)
    }

    /// The table of what stands between brackets. A mistake makes every value a no.
    ///
    /// # Errors
    /// That table, which refuses everybody.
    pub fn of_brackets(text: &str) -> Result<Self, Self> {
        Self::parse(text).ok_or_else(|| Self(Box::new([Action::Bad; Code::COUNT])))
    }

    /// What nothing was written for is a no.
    fn parse(text: &str) -> Option<Self> {
        let mut table = [None; Code::COUNT];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (code, after) = match rest.strip_prefix("default") {
                Some(after) => (None, after),
                None => Code::strip(rest).map(|(code, after)| (Some(code), after))?,
            };
            let after = after.trim_start().strip_prefix('=')?;
            let (action, after) = action(after.trim_start())?;
            match code {
                Some(code) => *table.get_mut(code.number())? = Some(action),
                None => table.iter_mut().filter(|it| it.is_none()).for_each(|it| *it = Some(action)),
            }
            rest = after.trim_start();
        }
        Some(Self(Box::new(table.map(|action| action.unwrap_or(Action::Bad)))))
    }

    fn set(&mut self, code: Code, action: Action) {
        if let Some(place) = self.0.get_mut(code.number()) {
            *place = action;
        }
    }
}

fn action(text: &str) -> Option<(Action, &str)> {
    let words = [
        ("ignore", Action::Ignore),
        ("ok", Action::Ok),
        ("done", Action::Done),
        ("bad", Action::Bad),
        ("die", Action::Die),
        ("reset", Action::Reset),
    ];
    if let Some(found) = words.iter().find_map(|(word, action)| Some((*action, text.strip_prefix(word)?))) {
        return Some(found);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(rest)?;
    let count: u32 = digits.parse().ok()?;
    (count > 0 && count <= i32::MAX.unsigned_abs()).then_some((Action::Jump(count), rest))
}

#[cfg(test)]
mod tests {
    use super::{Action, Actions};
    use crate::pam::code::Code;

    #[test]
    fn words_are_what_the_manual_says_they_stand_for() {
        for (word, brackets) in [
            ("required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"),
            ("requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"),
            ("sufficient", "success=done new_authtok_reqd=done default=ignore"),
            ("optional", "success=ok new_authtok_reqd=ok default=ignore"),
        ] {
            assert_eq!(Actions::of_word(word), Actions::of_brackets(brackets).ok(), "{word}");
        }
        assert_eq!(Actions::of_word("Required"), Actions::of_word("required"));
        assert_eq!(Actions::of_word("include"), None);
    }

    #[test]
    fn the_default_is_for_what_was_not_written_before_it() {
        let actions = Actions::of_brackets("success=1 default=ignore auth_err=die").unwrap();
        assert_eq!(actions.of(Code::SUCCESS), Action::Jump(1));
        assert_eq!(actions.of(Code::AUTH_ERR), Action::Die);
        assert_eq!(actions.of(Code::IGNORE), Action::Ignore);
        let bare = Actions::of_brackets("success = ok").unwrap();
        assert_eq!(bare.of(Code::AUTH_ERR), Action::Bad);
    }

    #[test]
    fn a_mistake_makes_every_value_a_no() {
        for mistake in
            ["success=0", "success=maybe", "sucess=ok", "success", "success=", "99=ok", "success=99999999999"]
        {
            let actions = Actions::of_brackets(mistake).unwrap_err();
            assert_eq!(actions.of(Code::SUCCESS), Action::Bad, "{mistake}");
        }
    }
}
