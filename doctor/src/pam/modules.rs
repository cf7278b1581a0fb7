//! What the modules of a stack say, as far as it depends on what somebody has. Of a module that is not known here,
//! everything is assumed: that it asks for something of its own, and that it says yes, no or nothing.

use common::PrimaryMode;

use super::code::Code;
use super::proof::{Atom, World};
use super::stack::{Call, Step};

/// Our module.
pub const OURS: &str = "pam_countersign.so";

/// Modules that ask for a first password.
const PASSWORDS: [&str; 13] = [
    "pam_unix.so",
    "pam_unix2.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_systemd_home.so",
    "pam_userdb.so",
    "pam_radius_auth.so",
    "pam_pwdfile.so",
    "pam_mysql.so",
    "pam_pgsql.so",
    "pam_tcb.so",
];

/// Modules that ask for a second proof, as ours does.
const SECOND_PROOFS: [&str; 8] = [
    "pam_google_authenticator.so",
    "pam_oath.so",
    "pam_duo.so",
    "pam_u2f.so",
    "pam_yubico.so",
    "pam_otpw.so",
    "pam_python.so",
    "pam_privacyidea.so",
];

/// Modules that say yes or no by who somebody is, not by what they know.
const CONDITIONS: [&str; 8] = [
    "pam_access.so",
    "pam_listfile.so",
    "pam_localuser.so",
    "pam_rhosts.so",
    "pam_selinux_permit.so",
    "pam_succeed_if.so",
    "pam_time.so",
    "pam_usertype.so",
];

/// Modules that have no opinion on who somebody is.
const SILENT: [&str; 5] = ["pam_env.so", "pam_group.so", "pam_nologin.so", "pam_warn.so", "pam_motd.so"];

/// Modules that do something beside, and may say yes to everybody.
const FRIENDLY: [&str; 14] = [
    "pam_cap.so",
    "pam_echo.so",
    "pam_ecryptfs.so",
    "pam_faildelay.so",
    "pam_gnome_keyring.so",
    "pam_issue.so",
    "pam_keyinit.so",
    "pam_kwallet.so",
    "pam_kwallet5.so",
    "pam_mount.so",
    "pam_securetty.so",
    "pam_shells.so",
    "pam_tally.so",
    "pam_tally2.so",
];

/// What a line of a stack comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Our module.
    Ours(PrimaryMode),
    /// Our module, with a mistake in its arguments: it refuses.
    OursMistaken(String),
    /// A first password; whether the module hands on what was typed, and takes an empty one.
    Password {
        /// Whether later modules see what was typed.
        hands_on: bool,
        /// Whether an empty password is good for an account without one.
        takes_empty: bool,
    },
    /// A second proof of another product.
    OtherSecond {
        /// Whether those who have none are passed over.
        lets_unregistered_by: bool,
    },
    /// A condition.
    Condition,
    /// The caller is root.
    RootOnly,
    /// A yes to everybody.
    Permit,
    /// A no to everybody.
    Deny,
    /// No opinion.
    Silent,
    /// No opinion, or a yes.
    Friendly,
    /// A yes, unless there were too many failures.
    Gate,
    /// No opinion, or a no.
    Grudge,
    /// Something that we do not know.
    Unknown,
    /// A file that is not there.
    Missing,
    /// A line that libpam refuses.
    Refusal,
}

/// What is so around a stack.
pub struct Setting<'a> {
    /// Reads the arguments of our module as it does.
    pub read_arguments: &'a dyn Fn(&[String]) -> Result<PrimaryMode, String>,
    /// Whether libpam finds a module.
    pub is_module: &'a dyn Fn(&str) -> bool,
    /// Whether our module sees that sshd asks, and so takes no code where no method has succeeded before.
    pub by_sshd: bool,
    /// Whether every question gets the one answer that the user gave: sshd's `password` method.
    pub one_answer: bool,
    /// Whether `primary=own` asks for a password at all.
    pub own_password: bool,
}

impl Setting<'_> {
    /// What a line is.
    #[must_use]
    pub fn part(&self, step: &Step) -> Part {
        let (path, arguments) = match &step.call {
            Call::Module { path, arguments } => (path, arguments),
            Call::Substack | Call::Refusal { .. } => return Part::Refusal,
        };
        if !(self.is_module)(path) {
            return Part::Missing;
        }
        let name = step.module().unwrap_or_default();
        let has = |argument: &str| step.has_argument(argument);
        match name {
            OURS => (self.read_arguments)(arguments).map_or_else(Part::OursMistaken, Part::Ours),
            "pam_permit.so" => Part::Permit,
            "pam_deny.so" => Part::Deny,
            "pam_rootok.so" => Part::RootOnly,
            "pam_wheel.so" if has("trust") => Part::Condition,
            "pam_wheel.so" => Part::Grudge,
            "pam_faillock.so" if has("authfail") => Part::Grudge,
            "pam_faillock.so" => Part::Gate,
            _ if PASSWORDS.contains(&name) => Part::Password {
                hands_on: name != "pam_sss.so" || has("forward_pass"),
                takes_empty: has("nullok") || has("nullok_secure"),
            },
            _ if SECOND_PROOFS.contains(&name) => {
                Part::OtherSecond { lets_unregistered_by: has("nullok") || has("nouserok") }
            }
            _ if CONDITIONS.contains(&name) => Part::Condition,
            _ if SILENT.contains(&name) => Part::Silent,
            _ if FRIENDLY.contains(&name) => Part::Friendly,
            _ => Part::Unknown,
        }
    }

    /// What somebody could have that would matter to a line.
    #[must_use]
    pub fn atoms(&self, step: &Step, part: &Part) -> Vec<Atom> {
        let module = || step.module().unwrap_or_default().to_owned();
        match part {
            Part::Ours(mode) => self.own_atoms(*mode),
            Part::Password { takes_empty, .. } => {
                let empty = takes_empty.then_some(Atom::EmptyPassword);
                std::iter::once(Atom::Password).chain(empty).collect()
            }
            Part::OtherSecond { lets_unregistered_by } => {
                let unregistered = lets_unregistered_by.then(|| unregistered(&module()));
                std::iter::once(Atom::OtherSecond(module())).chain(unregistered).collect()
            }
            Part::Condition => vec![condition(step)],
            Part::RootOnly => vec![Atom::Root],
            Part::Unknown => vec![Atom::Unknown(module())],
            Part::OursMistaken(_)
            | Part::Permit
            | Part::Deny
            | Part::Silent
            | Part::Friendly
            | Part::Gate
            | Part::Grudge
            | Part::Missing
            | Part::Refusal => Vec::new(),
        }
    }

    fn own_atoms(&self, mode: PrimaryMode) -> Vec<Atom> {
        let mut atoms = vec![Atom::AppPassword];
        if mode != PrimaryMode::Failed {
            atoms.extend([Atom::Code, Atom::NotAsked]);
        }
        if mode == PrimaryMode::Own && self.own_password {
            atoms.push(Atom::OwnPassword);
        }
        if mode == PrimaryMode::None && self.by_sshd {
            atoms.push(Atom::Key);
        }
        atoms
    }

    /// What a line may say to somebody who has these, and whether a password is there for the lines below. `typed`
    /// says whether one is there already.
    #[must_use]
    pub fn outcomes(&self, step: &Step, part: &Part, world: &World, typed: bool) -> Vec<(Code, bool)> {
        let has = |atom: &Atom| world.contains(atom);
        let yes_or_no = |is_yes: bool| if is_yes { vec![Code::SUCCESS] } else { vec![Code::AUTH_ERR] };
        let mut stays = typed;
        let codes = match part {
            // Whoever is asked can go away, and nobody can promise that the module can always tell.
            Part::Ours(mode) => {
                let fails = [Code::AUTH_ERR, Code::CONV_ERR, Code::AUTHINFO_UNAVAIL, Code::ABORT];
                std::iter::once(self.own(*mode, world, typed)).chain(fails).collect()
            }
            Part::OursMistaken(_) => vec![Code::SERVICE_ERR],
            Part::Password { hands_on, takes_empty } => {
                stays |= hands_on;
                let no = [Code::AUTH_ERR, Code::USER_UNKNOWN, Code::AUTHINFO_UNAVAIL];
                let is_right = has(&Atom::Password) || (*takes_empty && has(&Atom::EmptyPassword));
                is_right.then_some(Code::SUCCESS).into_iter().chain(no).collect()
            }
            Part::OtherSecond { lets_unregistered_by } => {
                let module = step.module().unwrap_or_default();
                let is_by = *lets_unregistered_by && has(&unregistered(module));
                let codes = yes_or_no(has(&Atom::OtherSecond(module.to_owned())));
                if is_by { vec![Code::IGNORE] } else { codes }
            }
            Part::Condition => yes_or_no(has(&condition(step))),
            Part::RootOnly => yes_or_no(has(&Atom::Root)),
            Part::Permit => vec![Code::SUCCESS],
            Part::Deny => vec![Code::AUTH_ERR],
            Part::Silent => vec![Code::IGNORE],
            Part::Friendly => vec![Code::IGNORE, Code::SUCCESS],
            Part::Gate => vec![Code::SUCCESS, Code::AUTH_ERR],
            Part::Grudge => vec![Code::IGNORE, Code::AUTH_ERR],
            Part::Unknown => {
                let is_yes = has(&Atom::Unknown(step.module().unwrap_or_default().to_owned()));
                vec![if is_yes { Code::SUCCESS } else { Code::IGNORE }, Code::AUTH_ERR]
            }
            Part::Missing => vec![Code::MODULE_UNKNOWN],
            Part::Refusal => vec![Code::PERM_DENIED],
        };
        codes.into_iter().map(|code| (code, stays)).collect()
    }

    /// The table of docs/pam.md, "What the module returns".
    fn own(&self, mode: PrimaryMode, world: &World, typed: bool) -> Code {
        let has = |atom: &Atom| world.contains(atom);
        let verdict = |is_in: bool| if is_in { Code::SUCCESS } else { Code::AUTH_ERR };
        // A code can stand behind a password that we check ourselves; else it is another answer.
        let code = has(&Atom::Code) && (!self.one_answer || mode == PrimaryMode::Own);
        let second = code || has(&Atom::AppPassword) && !self.one_answer;
        match mode {
            PrimaryMode::Own => {
                let first = !self.own_password || has(&Atom::OwnPassword);
                verdict(has(&Atom::AppPassword) || first && (second || has(&Atom::NotAsked)))
            }
            PrimaryMode::Failed => verdict(typed && has(&Atom::AppPassword)),
            PrimaryMode::Stack if !typed => Code::AUTHINFO_UNAVAIL,
            PrimaryMode::Stack => verdict(second || has(&Atom::NotAsked)),
            PrimaryMode::None if self.by_sshd && !has(&Atom::Key) => Code::AUTHINFO_UNAVAIL,
            PrimaryMode::None if has(&Atom::NotAsked) => Code::IGNORE,
            PrimaryMode::None => verdict(second),
        }
    }
}

fn condition(step: &Step) -> Atom {
    let words: Vec<&str> =
        step.module().into_iter().chain(step.arguments().iter().map(String::as_str)).collect();
    Atom::Condition(words.join(" "))
}

fn unregistered(module: &str) -> Atom {
    Atom::Condition(format!("the user has nothing registered with {module}"))
}
