//! What is found: of which kind, where, what stands there, why that is bad, and what to write instead. The kinds are a
//! closed list, and docs/doctor.md has each of them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::place::Place;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody would get in with less than meant.
    WouldLetIn,
    /// Somebody would not get in who should.
    WouldLockOut,
    /// Somebody should think about it.
    WorthALook,
}

impl Severity {
    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::WouldLetIn => "would let in",
            Self::WouldLockOut => "would lock out",
            Self::WorthALook => "worth a look",
        }
    }
}

/// Declares the kinds with their names, severities and meanings, so that no list of them can miss one.
macro_rules! kinds {
    ($($variant:ident $name:literal $severity:ident $meaning:literal;)*) => {
        /// A kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $meaning] $variant,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }

            /// Why it is bad.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

kinds! {
    OursPassedOver "ours-passed-over" WouldLetIn "The stack goes on where pam_countersign.so says no or cannot tell, so its no counts for nothing.";
    EndsAboveOurs "ends-above-ours" WouldLetIn "A line above ends the stack before pam_countersign.so is asked.";
    JumpsOverOurs "jumps-over-ours" WouldLetIn "A line jumps over pam_countersign.so.";
    RefusedPasswordCounts "refused-password-counts" WouldLetIn "primary=stack takes the password for right that a line above has refused: the second proof alone lets in.";
    NobodyVouches "nobody-vouches" WouldLetIn "primary=none asks for no password, and nothing else stands for it here: the code alone lets in.";
    BackendNone "backend-none" WouldLetIn "The backend of the settings is `none`, so primary=own asks for no password: the code alone lets in.";
    ExemptGetIn "exempt-get-in" WouldLetIn "Whoever is asked for no second step (state `disabled`, a rule with `skip`) gets in with nothing: another line says yes in the place of a first proof.";
    NoProofAsked "no-proof-asked" WouldLetIn "Somebody gets in without what pam_countersign.so asks for.";
    Nullok "nullok" WouldLetIn "Whoever has an empty password in /etc/shadow gets past the first password with nothing.";
    SiblingWithout "sibling-without" WouldLetIn "The same program asks another PAM service in one of its modes, and that one has no second step.";
    PamConfIgnored "pam-conf-ignored" WouldLetIn "libpam reads /etc/pam.conf only where there is no folder /etc/pam.d: these lines count for nothing.";
    NobodyGetsIn "nobody-gets-in" WouldLockOut "No password and no code leads through this stack.";
    ModuleMissing "module-missing" WouldLockOut "libpam does not find pam_countersign.so there.";
    ModuleArguments "module-arguments" WouldLockOut "pam_countersign.so refuses everybody where its arguments have a mistake.";
    BadLine "bad-line" WouldLockOut "libpam cannot read the line, and takes it for a no.";
    MissingInclude "missing-include" WouldLockOut "libpam cannot read what is included, and takes the line for a no.";
    TooMuch "too-much" WorthALook "The stack is so long or deep that not everything about it could be tried.";
    PasswordNotHandedOn "password-not-handed-on" WouldLockOut "The module above keeps the password to itself, and primary=stack refuses where none was typed.";
    NamedCountersign "named-countersign" WouldLockOut "pam_countersign.so refuses everybody at a service of that name, which stands for a user's own shell.";
    AsksItself "asks-itself" WouldLockOut "The service that checks first passwords for Countersign has pam_countersign.so in it: it would have to ask itself, and refuses.";
    AccountMissing "account-missing" WouldLockOut "Without `account` lines of its own the service has those of /etc/pam.d/other, which refuse everybody.";
    SuToRoot "su-to-root" WouldLockOut "primary=own refuses su to root: the password would be one person's and the code another's.";
    LocalAway "local-away" WouldLockOut "Programs whose callers are not root ask countersign-local, which does not answer: nobody gets in there.";
    SocketOff "socket-off" WouldLockOut "socket=off is for callers that are root: others could ask nobody, and are refused.";
    InCommonFile "in-common-file" WorthALook "Every service that includes the file asks for a second step, also those that cannot.";
    AccountOfOther "account-of-other" WorthALook "Without `account` lines of its own the service has those of /etc/pam.d/other, which may let in whom its own refused.";
    TwoPasswords "two-passwords" WorthALook "Two passwords are asked for: the system's, and then Countersign's own.";
    OtherSecondFactor "other-second-factor" WorthALook "Another module asks for a second proof of its own in the same stack.";
    FaillockBeside "faillock-beside" WorthALook "pam_faillock.so counts what pam_countersign.so refuses, and so locks whole accounts, which strangers can bring about.";
    OutsideAuth "outside-auth" WorthALook "pam_countersign.so has no opinion in `account`, `session` and `password` lines: this one does nothing.";
    NotPrinted "not-printed" WorthALook "The stack is none of those in docs/pam.md, which are the only ones that are tested.";
    SshdWithoutPam "sshd-without-pam" WouldLetIn "sshd does not ask PAM who somebody is.";
    KeyAlone "key-alone" WouldLetIn "A key alone lets in: sshd does not ask PAM then, and no record is made.";
    MethodAlone "method-alone" WouldLetIn "sshd lets in by a method that asks for no second step.";
    MatchTakesBack "match-takes-back" WouldLetIn "For whom the block is meant, sshd lets in with less than it does elsewhere.";
    OtherPamService "other-pam-service" WouldLetIn "sshd asks another PAM service than the one with pam_countersign.so.";
    EmptyPasswords "empty-passwords" WouldLetIn "sshd takes an empty password for a password.";
    PasswordMethod "password-method" WorthALook "sshd's `password` method gives one answer to every question, so nobody can type a code.";
    QuestionsOff "questions-off" WouldLockOut "sshd asks no questions, so nobody can be asked for a code.";
    KeyNotAsked "key-not-asked" WouldLockOut "primary=none wants a method of sshd to have succeeded before, and AuthenticationMethods asks for none.";
    NoMethodLeft "no-method-left" WouldLockOut "sshd asks for what nobody can give here.";
    RootShutOut "root-shut-out" WouldLockOut "sshd lets root in by keyboard-interactive only where PermitRootLogin says `yes`; it answers in root's place otherwise.";
    GraceTooShort "grace-too-short" WouldLockOut "Whoever registers at the sign-in needs longer than sshd waits.";
    ForcedCommand "forced-command" WorthALook "PAM cannot tell sftp from a shell: programs that come for this command alone are asked for a code too.";
    SshdBadLine "sshd-bad-line" WouldLockOut "sshd would not start with this line, or passes over it.";
    SshdNotPrinted "sshd-not-printed" WorthALook "sshd_config is none of those that docs/pam.md has for this stack.";
    SshdDisagrees "sshd-disagrees" WorthALook "sshd itself takes another value than the one that was read here.";
    Writable "writable" WouldLetIn "Whoever can write there decides who gets in.";
    WrongOwner "wrong-owner" WouldLetIn "Its owner is not root, and so decides who gets in.";
    SocketFolder "socket-folder" WouldLockOut "PAM callers trust a socket only where nobody but root and the user countersign can have put it.";
    Clock "clock" WouldLockOut "Codes by time are good for a minute or so: with a wrong clock nobody's is.";
    Settings "settings" WouldLockOut "The settings or the clients file have a mistake, and nobody is let in by settings that cannot be read.";
    SettingsRemark "settings-remark" WorthALook "The settings or the clients file say something that hardly is meant so.";
    Store "store" WouldLockOut "Logins cannot read or write the store, its key or the break-glass file as they must.";
    StoreExposed "store-exposed" WouldLetIn "Others than root and the user countersign can reach the store or its key.";
    Delivery "delivery" WouldLockOut "Codes and notices are not sent as they should be.";
    RadiusAway "radius-away" WouldLockOut "There are RADIUS clients, and countersign-radiusd does not run here.";
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub kind: Kind,
    /// Where.
    pub place: Place,
    /// What is there.
    pub found: String,
    /// What to write or do instead.
    pub instead: String,
    /// The PAM services that it is about; none where it is about no stack.
    pub services: BTreeSet<String>,
}

impl Finding {
    /// One that is about no stack.
    #[must_use]
    pub fn new(kind: Kind, place: Place, found: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { kind, place, found: found.into(), instead: instead.into(), services: BTreeSet::new() }
    }

    /// The same, about a PAM service.
    #[must_use]
    pub fn of_service(mut self, service: &str) -> Self {
        self.services.insert(service.to_owned());
        self
    }
}

/// What was found, without repetitions and the worst first: what an included file says wrongly, it says to many services.
#[must_use]
pub fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        match merged.iter_mut().find(|it| it.kind == finding.kind && it.place == finding.place) {
            Some(same) => same.services.extend(finding.services),
            None => merged.push(finding),
        }
    }
    merged.sort_by(|one, other| {
        (one.kind.severity(), &one.place, one.kind).cmp(&(other.kind.severity(), &other.place, other.kind))
    });
    merged
}

/// The same for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FindingView {
    severity: Severity,
    kind: &'static str,
    file: PathBuf,
    /// Null where the file as a whole is meant.
    line: Option<u32>,
    services: BTreeSet<String>,
    found: String,
    why: &'static str,
    instead: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        let Finding { kind, place, found, instead, services } = finding;
        Self {
            severity: kind.severity(),
            kind: kind.name(),
            file: place.file.clone(),
            line: (place.line > 0).then_some(place.line),
            services: services.clone(),
            found: found.clone(),
            why: kind.meaning(),
            instead: instead.clone(),
        }
    }
}
