//! Why a command did not do what it was asked, and what to do about it: one sentence, with its causes.

use std::io;
use std::path::{Path, PathBuf};

use assembly::AssemblyError;
use assembly::audit::AuditError;
use assembly::config::ConfigError;
use assembly::daemon::DaemonError;
use assembly::local::Away;
use assembly::primary::PrimaryError;
use assembly::store::{SqliteError, Trouble};
use common::Username;
use common::acts::ActError;
use common::causes::with_causes;
use common::passphrase::PassphraseError;
use common::ports::StoreError;
use common::totp::TotpError;

use crate::command::break_glass::advice_of;

/// Everything that ends a command with exit code 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The store and the key belong to root and `countersign`.
    #[error("this command opens the store and its key: run it as root")]
    NotRoot,
    /// There are no settings.
    #[error("there is no {}: make it with 'countersign init', or name another file with --config", .0.display())]
    NotInitialised(PathBuf),
    /// The secrets of clients are not for everybody.
    #[error("{} can be read by root only: run this as root", .0.display())]
    ReadByRootOnly(PathBuf),
    /// The settings cannot be read or changed, or hold mistakes.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// Settings, key and store do not make an engine.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The engine refused an act.
    #[error(transparent)]
    Act(#[from] ActError),
    /// A trial of the gateways cannot be made.
    #[error("{0}")]
    Delivery(String),
    /// The rights of the servers could not be taken on.
    #[error("cannot go on with the rights of the servers")]
    Rights(#[source] DaemonError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no backup at all.
    #[error("{} is no backup of a store: nothing was changed. 'countersign store backup' makes one", .0.display())]
    NoBackup(PathBuf),
    /// A backup could not be put back; the cause may be the backup or the store.
    #[error("cannot put {} in the place of the store", .backup.display())]
    Restore {
        /// The backup.
        backup: PathBuf,
        /// The cause.
        source: StoreError,
    },
    /// The store that is there could not be copied, so it was not overwritten.
    #[error("nothing was changed, because no copy of the store that is there can be kept as {}", .copy.display())]
    NotKept {
        /// Where the copy should be.
        copy: PathBuf,
        /// Why it cannot.
        source: Box<Failure>,
    },
    /// The chain of records could not be walked.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A password could not be hashed.
    #[error(transparent)]
    Primary(#[from] PrimaryError),
    /// A secret that was brought cannot be used.
    #[error(transparent)]
    Totp(#[from] TotpError),
    /// No code proved the factor; a secret that was made for it will never be shown again.
    #[error(
        "nothing was registered: no code belonged to this secret. Check the clock of the phone, delete the entry in the \
         app and run 'countersign enroll {0} totp' again"
    )]
    NotRegistered(Username),
    /// The same of a token that counts.
    #[error(
        "nothing was registered: the codes do not belong to this secret and counter. Let the token show new ones and run \
         'countersign enroll {0} hotp' again"
    )]
    TokenNotRegistered(Username),
    /// An office telephone that is a mail address.
    #[error("--office is for telephone numbers: a mail address has no telephone")]
    MailAtTheOffice,
    /// There is no such RADIUS client.
    #[error("there is no RADIUS client {0}: 'countersign client list' shows all")]
    NoSuchClient(String),
    /// Randomness gave nothing of the right shape, which does not happen.
    #[error("no secret could be made: try again")]
    NoSecretMade,
    /// Something else than a file for `apply`.
    #[error("{} declares no accounts: no line of it is [[account]]. 'countersign export' writes such a file", .0.display())]
    NoAccounts(PathBuf),
    /// There is no such account.
    #[error(
        "there is no account '{0}': 'countersign user list' shows all, 'countersign user add {word}' makes it",
        word = shell_word(.0)
    )]
    NoSuchAccount(Username),
    /// There is no such account, and no such user either.
    #[error(
        "there is no account '{0}' ('countersign user list' shows all), and this machine knows no such user: mend the name, \
         or make the account in any case with --create"
    )]
    UnknownUser(Username),
    /// There is no such account, and the directory is away.
    #[error(
        "there is no account '{0}', and nobody could tell whether there is such a user: is the directory there ('getent \
         passwd {word}')? --create makes the account in any case",
        word = shell_word(.0)
    )]
    NobodyKnows(Username),
    /// A uid without a name.
    #[error("this machine knows no user with the uid {0}")]
    NoSuchUid(u32),
    /// Nobody can decide.
    #[error("countersign-local, which would decide, cannot be asked ({away}). Ask an administrator: {advice}", away = .0, advice = .0.advice())]
    Away(Away),
    /// Other settings than those of the service.
    #[error("countersign-local has other settings than {}: name the file that it was started with as --config", .0.display())]
    OtherSettings(PathBuf),
    /// No second step is asked of this user, or people register elsewhere.
    #[error(
        "there is nothing to do here: no second step is asked of you, or your site lets nobody register at a prompt. An \
         administrator can tell"
    )]
    NotOffered,
    /// The user has nothing yet.
    #[error("you have registered nothing yet: 'countersign register' does it")]
    NothingRegistered,
    /// The user put it off.
    #[error("nothing was registered: 'countersign register' begins again")]
    NotRegisteredNow,
    /// A registration came in between.
    #[error("you are registered now, which had to come first: give the command again")]
    RegisteredFirst,
    /// Refused, whatever the reason.
    #[error(
        "not accepted, and nothing was registered by the last answer. After wrong codes wait a minute and try again; if it stays \
         so, ask an administrator, who sees the reason and can give you a temporary code"
    )]
    NotAccepted,
    /// Could not tell.
    #[error("it cannot be decided right now: try again later, or ask an administrator")]
    NotTold,
    /// Standard output is closed or full.
    #[error("cannot write the answer")]
    Write(#[source] io::Error),
    /// A report has no JSON form.
    #[error("cannot write the answer as JSON")]
    Json(#[source] serde_json::Error),
    /// Nobody answered.
    #[error("cannot read the answer from {from}")]
    Read {
        /// The terminal, or standard input.
        from: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Standard input ended.
    #[error("standard input ended before the {0}: give it on a line of its own")]
    NoAnswer(&'static str),
    /// The two passwords differ.
    #[error("the two passwords differ: nothing was changed")]
    PasswordsDiffer,
    /// The two passphrases differ.
    #[error("the two passphrases differ: nothing was written")]
    PassphrasesDiffer,
    /// A passphrase that does not serve.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// Others can read a passphrase.
    #[error("{} can be read by others: take these rights away with 'chmod go-rwx {}'", .0.display(), .0.display())]
    OpenToOthers(PathBuf),
    /// A sealed file that comes by standard input.
    #[error(
        "secrets are sealed in this file, and it is standard input itself: give the passphrase with --passphrase-file"
    )]
    NoPassphrase,
    /// Nobody has said that a screen is meant.
    #[error(
        "sealed secrets do not belong on a screen: name a new file with --output FILE, or say --output -"
    )]
    SecretsToTerminal,
    /// Nobody would learn of it.
    #[error("no secret was exported, because the record of it could not be written first")]
    NotRecorded(#[source] ActError),
    /// A file that is not whole and cannot be taken away.
    #[error("{} holds only a part of the accounts and could not be removed ({why}): remove it", path.display())]
    HalfLeft {
        /// The file.
        path: PathBuf,
        /// Why it is still there.
        why: io::Error,
        /// Why it is not whole.
        source: Box<Failure>,
    },
    /// A password that no door could take.
    #[error("a password has 1 to {} octets", common::limits::ANSWER_OCTETS_MAX)]
    PasswordLength,
    /// A file of this machine.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// The verb.
        operation: &'static str,
        /// The culprit.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A program of this machine did not do its work.
    #[error("{program} failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// The last line that it said.
        said: String,
    },
    /// There is nothing to choose for the administrator.
    #[error("default-state has no default: add --default-state disabled, enabled or enforced")]
    NoDefaultState,
    /// No answer was one of the words.
    #[error("{0} needs one of the words above: nothing was made")]
    NotChosen(String),
    /// `init` was told what it will not write.
    #[error("{} is there already and is not overwritten: change it there, or move it away first", .0.display())]
    SettingsExist(PathBuf),
    /// A new key would make the store useless.
    #[error("the store is there and its key file {} is not: put your copy of the key back", .0.display())]
    KeyLost(PathBuf),
    /// A new store would know nobody and ask nobody.
    #[error("there was a store and {} is gone: put it back with 'countersign store restore FILE'. A new one would ask nobody for a second proof; if that is meant, move what is left of the old one away, the break-glass file too", .0.display())]
    StoreLost(PathBuf),
    /// Others could change what is in the state directory.
    #[error("{} must be a folder of root or countersign with mode 0700: look at what is in it, or move it away", .0.display())]
    UnsafeFolder(PathBuf),
    /// The first line of a CSV file.
    #[error("{}: {message}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A file that is too large to be read whole.
    #[error("{} has {octets_max} octets or more: split it", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        octets_max: u64,
    },
    /// Lines of a file that name nobody.
    #[error("nothing was changed, because {file} has {count}:\n{lines}")]
    Lines {
        /// The file.
        file: String,
        /// Each with its line.
        lines: String,
        /// How many.
        count: String,
    },
    /// There is no such group.
    #[error("there is no group {0}: 'getent group {0}' shows what this machine knows")]
    NoSuchGroup(String),
    /// Nobody could tell who is in a group.
    #[error("nobody could tell who is in the group {group}: is the directory there?")]
    Group {
        /// The group.
        group: String,
        /// The cause.
        source: io::Error,
    },
    /// An act on many that nobody has agreed to.
    #[error("nothing was changed: there is no terminal to ask at. Look at it with --dry-run, then say --yes")]
    NobodyToAsk,
    /// An answer that is no document of ours.
    #[error("the answer of {} cannot be read: is it of another version?", path.display())]
    Unreadable {
        /// The socket.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

impl Failure {
    /// For `map_err`: the failure of a file operation.
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source }
    }

    /// What the store said, where that is why.
    fn of_store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error)
            | Self::Assembly(AssemblyError::Store(error))
            | Self::NotRecorded(ActError::Store(error)) => Some(error),
            Self::Audit(AuditError::ReadRecords { source, .. } | AuditError::ReadHeads { source }) => {
                Some(source)
            }
            _ => None,
        }
    }

    /// What is wrong with the store, where that is why.
    pub(crate) fn store_trouble(&self) -> Option<Trouble> {
        Trouble::of_store(self.of_store()?)
    }

    /// The sentence, and what to do where the store, at this path, or the break-glass file is the trouble.
    pub(crate) fn with_advice(&self, store: &Path) -> String {
        let sentence = with_causes(self);
        if self.is_about_the_target() {
            return sentence;
        }
        let about_store = self.of_store().and_then(|error| Trouble::advice_on(error, store));
        match (about_store, self.break_glass_trouble()) {
            (Some(advice), _) => format!("{sentence}. {advice} 'countersign store check' says more."),
            (None, Some(trouble)) => format!("{sentence}. To mend it, {}", advice_of(trouble)),
            (None, None) => sentence,
        }
    }

    /// What is there already, where a copy should be made, is no trouble of the store.
    fn is_about_the_target(&self) -> bool {
        let Self::Store(StoreError::Unavailable { source, .. }) = self else { return false };
        matches!(source.downcast_ref(), Some(SqliteError::Exists(_)))
    }

    /// What is wrong with the break-glass file, where that is why and the sentence does not say what to do.
    fn break_glass_trouble(&self) -> Option<Trouble> {
        let (Self::Store(error) | Self::Assembly(AssemblyError::Store(error))) = self else { return None };
        Some(Trouble::of(error)).filter(|trouble| *trouble != Trouble::Absent)
    }
}

/// A name as a shell takes it: in double quotes where it has more than plain characters.
pub(crate) fn shell_word(name: &Username) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-@+%".contains(letter);
    let name = name.as_str();
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    let escaped = name.chars().flat_map(|letter| {
        let escape = "\\\"$`".contains(letter).then_some('\\');
        escape.into_iter().chain([letter])
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::{Path, PathBuf};

    use assembly::store::SqliteError;
    use common::ports::StoreTrouble;

    use super::{Failure, StoreError};

    #[test]
    fn what_to_do_names_the_file_that_is_in_the_way() {
        let store = Path::new("/srv/store.db");
        let said = |trouble, source: SqliteError| {
            let operation = "reading /srv/store.db".to_owned();
            let error = StoreError::Unavailable { operation, trouble, source: Box::new(source) };
            Failure::Store(error).with_advice(store)
        };
        let queue = PathBuf::from("/srv/store.db-queue");
        let held = said(StoreTrouble::Slow, SqliteError::Queue { path: queue, seconds: 5 });
        assert!(held.contains("'fuser -v /srv/store.db-queue'"), "{held}");
        let busy = said(StoreTrouble::Slow, SqliteError::Busy);
        assert!(busy.contains("'fuser -v /srv/store.db'"), "{busy}");
        let full = said(StoreTrouble::Full, SqliteError::Full(store.to_owned()));
        assert!(full.contains("'df -h /srv/store.db'"), "{full}");
        let path = PathBuf::from("/srv/store.db-mark");
        let source = io::ErrorKind::ReadOnlyFilesystem.into();
        let read_only = said(StoreTrouble::ReadOnly, SqliteError::File { operation: "open", path, source });
        assert!(read_only.contains("-T /srv/store.db-mark)"), "{read_only}");
    }
}
