//! Every key that the files may hold, with what it allows: the parser, its messages and docs/configuration.md read this.

use crate::delivery_keys as delivery;
pub use crate::part::Part;
use crate::registration_keys as registration;

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It must not be.
    Refused,
    /// This value, as it would be written.
    Means(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table.
    pub part: Part,
    /// The key.
    pub name: &'static str,
    /// What holds where it is left out.
    pub absent: Absent,
    /// What may be written, in words.
    pub allowed: &'static str,
    /// What it does, in one or two sentences.
    pub meaning: &'static str,
}

impl Key {
    /// A key that must be there, until [`Key::or`] says otherwise.
    pub(crate) const fn new(
        part: Part,
        name: &'static str,
        allowed: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { part, name, absent: Absent::Refused, allowed, meaning }
    }

    /// Says what its absence means.
    pub(crate) const fn or(mut self, value: &'static str) -> Self {
        self.absent = Absent::Means(value);
        self
    }
}

/// How the header of a `[pam.services.NAME]` ends.
pub(crate) const SERVICE: &str = "the name of a PAM service: lower-case letters, digits, '.', '_', '-'";
pub(crate) const SERVICES: &str =
    "a list of PAM services, each once: lower-case letters, digits, '.', '_', '-'";
pub(crate) const CLIENTS: &str = "a list of RADIUS clients by name, each once";
const USERS: &str = "a list of user names, each once";
const DIALOGUE: &str = "\"neutral\" or \"plain\"";
const APPEND: &str = "\"refused\", \"delimiter\" or \"shape\"";

pub(crate) const DEFAULT_STATE: Key = Key::new(
    Part::Top,
    "default-state",
    "\"disabled\", \"enabled\" or \"enforced\"",
    "What a user is whom the primary knows and who has no account here. There is no default for it.",
);
pub(crate) const ISSUER: Key = Key::new(
    Part::Top,
    "issuer",
    "a text of 1 to 64 characters, without ':'",
    "The name that authenticator apps show. Pictures to be scanned show 24 letters of it at least.",
)
.or("\"Countersign\"");
pub(crate) const STATE_DIRECTORY: Key = Key::new(
    Part::Top,
    "state-directory",
    "an absolute path without '..'",
    "The folder of the store and the master key.",
)
.or("\"/var/lib/countersign\"");
pub(crate) const CLIENTS_FILE: Key = Key::new(
    Part::Top,
    "clients-file",
    "a path without '..', absolute or relative to this file",
    "The file with the RADIUS clients and their secrets.",
)
.or("\"clients.toml\"");
pub(crate) const FOLD: Key = Key::new(
    Part::Names,
    "fold",
    "\"exact\" or \"lowercase\"",
    "With `lowercase`, `Alice` and `alice` are one account.",
)
.or("\"exact\"");
pub(crate) const BACKEND: Key = Key::new(
    Part::Primary,
    "backend",
    "\"local\", \"pam\" or \"none\"",
    "Who checks the first password: hashes in the store, another PAM service, or nobody.",
)
.or("\"local\"");
pub(crate) const PAM_SERVICE: Key = Key::new(
    Part::Primary,
    "pam-service",
    "the name of a PAM service with a file of its own: lower-case letters, digits, '_', '-'",
    "The PAM service that checks the first password where the backend is `pam`.",
)
.or("\"countersign-primary\"");
pub(crate) const FLOOR: Key = Key::new(
    Part::Primary,
    "floor-milliseconds",
    "a whole number of milliseconds, 0 to 1000",
    "A question or refusal leaves no earlier than this after a first password, or an answer to the question for the second proof, came: so time tells neither which names exist nor to whom a code goes.",
)
.or("100");
pub(crate) const PRIVILEGED_SERVICES: Key = Key::new(
    Part::Privileged,
    "services",
    SERVICES,
    "PAM services where app passwords are refused unless a rule names them.",
)
.or("[\"login\", \"su\", \"su-l\", \"sudo\", \"sudo-i\"]");
pub(crate) const BREAK_GLASS_USERS: Key = Key::new(
    Part::BreakGlass,
    "users",
    USERS,
    "Accounts that no rule, block or state locks out. They are always asked for a second proof, and each use is an alert.",
)
.or("[]");
pub(crate) const BREAK_GLASS_FILE: Key = Key::new(
    Part::BreakGlass,
    "file",
    "an absolute path without '..'",
    "The file that lets these accounts in when the store cannot be written. Best on another disk than the store.",
)
.or("\"break-glass\" in the state directory");
pub(crate) const RULE_NAME: Key = Key::new(
    Part::Rule,
    "name",
    "a text of 1 to 64 characters that no other rule has",
    "Stands in every record that the rule decided.",
);
pub(crate) const RULE_SERVICES: Key = Key::new(
    Part::Rule,
    "services",
    SERVICES,
    "The rule holds for these PAM services. Services and clients both empty: for every place.",
)
.or("[]");
pub(crate) const RULE_CLIENTS: Key =
    Key::new(Part::Rule, "clients", CLIENTS, "The rule holds for these RADIUS clients.").or("[]");
pub(crate) const RULE_USERS: Key =
    Key::new(Part::Rule, "users", USERS, "The rule holds for these users; empty: for all.").or("[]");
pub(crate) const RULE_ACTION: Key = Key::new(
    Part::Rule,
    "action",
    "\"require\", \"skip\" or \"deny\"",
    "The account's state decides, or no second step is asked, or nobody gets in.",
);
pub(crate) const RULE_METHODS: Key = Key::new(
    Part::Rule,
    "methods",
    "a list with at least one of \"totp\", \"hotp\", \"sms\", \"call\", \"email\", \"recovery-code\", \"temporary-code\", \"app-password\"",
    "The second proofs that are good here.",
)
.or("all; without \"app-password\" for privileged use");
pub(crate) const SERVICE_DIALOGUE: Key = Key::new(
    Part::Service,
    "dialogue",
    DIALOGUE,
    "Everybody is asked the same and refused at the end, or a wrong password is refused at once.",
)
.or("that of [pam.services.default], else \"neutral\"");
pub(crate) const SERVICE_APPEND: Key = Key::new(
    Part::Service,
    "append",
    APPEND,
    "Whether a code may follow the password: not at all, as `password,123456`, or also as `password123456`.",
)
.or("that of [pam.services.default], else \"delimiter\"");
pub(crate) const SERVICE_FACTOR_OF: Key = Key::new(
    Part::Service,
    "factor-of",
    "\"caller\", \"target\" or \"caller-for-root\"",
    "Whose second proof is asked for: that of whoever calls (by real uid), of the user who is asked for, or of the caller where root is asked for.",
)
.or("that of [pam.services.default], else \"caller\" for sudo and sudo-i, \"caller-for-root\" for su and su-l, \"target\" for others");
pub(crate) const LOCAL_CALLER_USER: Key = Key::new(
    Part::LocalCaller,
    "user",
    "the name of a user of this machine",
    "The system user that a program runs as. Others than root try nobody but themselves, unless they stand here.",
);
pub(crate) const LOCAL_CALLER_SERVICES: Key = Key::new(
    Part::LocalCaller,
    "services",
    "a list with at least one PAM service: lower-case letters, digits, '.', '_', '-'",
    "The PAM services at which it may try anybody, and is believed about the first password and the source.",
);
pub(crate) const LISTEN: Key = Key::new(
    Part::Radius,
    "listen",
    "a list with at least one address and port, such as \"127.0.0.1:1812\" or \"[::1]:1812\"",
    "Where the RADIUS server listens (UDP).",
)
.or("[\"127.0.0.1:1812\", \"[::1]:1812\"]");
pub(crate) const SYSLOG_TARGET: Key = Key::new(
    Part::Syslog,
    "target",
    "\"unix:PATH\", \"udp:ADDRESS:PORT\" or \"tcp:ADDRESS:PORT\"; no host names",
    "Where records are sent.",
)
.or("\"unix:/dev/log\"");
pub(crate) const SYSLOG_FORMAT: Key = Key::new(
    Part::Syslog,
    "format",
    "\"rfc5424\" or \"rfc3164\"",
    "RFC 5424 with structured data, or RFC 3164 with key=value text, which is all that rsyslogd parses on /dev/log.",
)
.or("\"rfc3164\" for unix:PATH, else \"rfc5424\"");
pub(crate) const SYSLOG_FACILITY: Key = Key::new(
    Part::Syslog,
    "facility",
    "\"authpriv\", \"auth\", \"daemon\", \"user\" or \"local0\" to \"local7\"",
    "The syslog facility.",
)
.or("\"authpriv\"");
pub(crate) const CLIENT_NAME: Key = Key::new(
    Part::Client,
    "name",
    "1 to 64 letters, digits, '.', '_', '-' that no other client has",
    "The name in rules, records and scopes of app passwords.",
);
pub(crate) const CLIENT_ADDRESSES: Key = Key::new(
    Part::Client,
    "addresses",
    "a list with at least one address or network, such as \"192.0.2.10\" or \"2001:db8::/64\"",
    "Where its packets come from. The longest network that fits an address decides whose packet it is.",
);
pub(crate) const CLIENT_SECRET: Key = Key::new(
    Part::Client,
    "secret",
    "a text of 1 to 128 octets",
    "The RADIUS secret that is shared with it; 16 octets or more are advised.",
);
pub(crate) const CLIENT_PREVIOUS_SECRET: Key = Key::new(
    Part::Client,
    "previous-secret",
    "a text of 1 to 128 octets",
    "The secret before, good beside the new one until this line is removed.",
)
.or("none");
pub(crate) const CLIENT_KIND: Key = Key::new(
    Part::Client,
    "kind",
    "\"challenge\", \"append\", \"code-only\" or \"app-password-only\"",
    "What it can do: put a second question; send password and code in one; send the code alone; send an app password alone.",
)
.or("\"challenge\"");
pub(crate) const CLIENT_DIALOGUE: Key =
    Key::new(Part::Client, "dialogue", DIALOGUE, "As for PAM services.").or("\"neutral\"");
pub(crate) const CLIENT_APPEND: Key = Key::new(
    Part::Client,
    "append",
    APPEND,
    "As for PAM services; only where the kind is `challenge` or `append`.",
)
.or("\"delimiter\"; \"refused\" where a kind has no password");
pub(crate) const CLIENT_MESSAGE_AUTHENTICATOR: Key = Key::new(
    Part::Client,
    "require-message-authenticator",
    "true or false; only true beside 0.0.0.0/0 or ::/0",
    "Drops requests without a Message-Authenticator (RFC 2869). Needed against forged replies (CVE-2024-3596).",
)
.or("true");
pub(crate) const CLIENT_WHEN_BACKEND_FAILS: Key = Key::new(
    Part::Client,
    "when-backend-fails",
    "\"reject\" or \"silence\"",
    "What it hears when the primary backend cannot be asked. Silence makes it try its next server.",
)
.or("\"reject\"");

/// Every key, in the order of the files.
pub const KEYS: &[&Key] = &[
    &DEFAULT_STATE,
    &ISSUER,
    &STATE_DIRECTORY,
    &CLIENTS_FILE,
    &FOLD,
    &BACKEND,
    &PAM_SERVICE,
    &FLOOR,
    &PRIVILEGED_SERVICES,
    &BREAK_GLASS_USERS,
    &BREAK_GLASS_FILE,
    &RULE_NAME,
    &RULE_SERVICES,
    &RULE_CLIENTS,
    &RULE_USERS,
    &RULE_ACTION,
    &RULE_METHODS,
    &registration::AT_SIGN_IN,
    &registration::DEADLINE_DAYS,
    &registration::SIGN_INS,
    &registration::APPS,
    &registration::APP_PASSWORD_SERVICES,
    &registration::APP_PASSWORD_CLIENTS,
    &registration::OPENING_NAME,
    &registration::OPENING_SERVICES,
    &registration::OPENING_CLIENTS,
    &registration::OPENING_NETWORKS,
    &SERVICE_DIALOGUE,
    &SERVICE_APPEND,
    &SERVICE_FACTOR_OF,
    &LOCAL_CALLER_USER,
    &LOCAL_CALLER_SERVICES,
    &LISTEN,
    &SYSLOG_TARGET,
    &SYSLOG_FORMAT,
    &SYSLOG_FACILITY,
    &delivery::CODES_PER_DAY,
    &delivery::NOTICES,
    &delivery::COUNTRIES,
    &delivery::FORBIDDEN_NUMBERS,
    &delivery::CODE_SMS,
    &delivery::CODE_CALL,
    &delivery::CODE_MAIL_SUBJECT,
    &delivery::CODE_MAIL,
    &delivery::NOTICE,
    &delivery::NOTICE_MAIL_SUBJECT,
    &delivery::NOTICE_MAIL,
    &delivery::FACTOR_ADDED,
    &delivery::FACTOR_REMOVED,
    &delivery::CONTACT_ADDED,
    &delivery::CONTACT_REMOVED,
    &delivery::APP_PASSWORD_CREATED,
    &delivery::RECOVERY_CODE_USED,
    &delivery::RECOVERY_CODES_RENEWED,
    &delivery::TEMPORARY_CODE_ISSUED,
    &delivery::TEMPORARY_CODE_USED,
    &delivery::REGISTRATION_REQUIRED,
    &delivery::REGISTERED,
    &delivery::ACCOUNT_REMOVED,
    &delivery::GATEWAY_NAME,
    &delivery::GATEWAY_CHANNELS,
    &delivery::GATEWAY_KIND,
    &delivery::GATEWAY_TIMEOUT,
    &delivery::GATEWAY_METHOD,
    &delivery::GATEWAY_URL,
    &delivery::GATEWAY_HEADERS,
    &delivery::GATEWAY_BODY,
    &delivery::GATEWAY_BODY_FORMAT,
    &delivery::GATEWAY_SUCCESS_STATUS,
    &delivery::GATEWAY_SUCCESS_PATTERN,
    &delivery::GATEWAY_FAILURE_PATTERN,
    &delivery::GATEWAY_SERVER,
    &delivery::GATEWAY_TLS,
    &delivery::GATEWAY_FROM,
    &delivery::GATEWAY_COMMAND,
    &delivery::GATEWAY_USERNAME,
    &delivery::GATEWAY_PASSWORD_FILE,
    &delivery::GATEWAY_CA_FILE,
    &delivery::GATEWAY_ALLOW_PLAINTEXT,
    &CLIENT_NAME,
    &CLIENT_ADDRESSES,
    &CLIENT_SECRET,
    &CLIENT_PREVIOUS_SECRET,
    &CLIENT_KIND,
    &CLIENT_DIALOGUE,
    &CLIENT_APPEND,
    &CLIENT_MESSAGE_AUTHENTICATOR,
    &CLIENT_WHEN_BACKEND_FAILS,
];
