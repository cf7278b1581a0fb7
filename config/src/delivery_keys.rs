//! The keys of `[delivery]` and of what stands in it.

use common::message::Event;
use common::wording::Text;

use crate::keys::{Key, Part};

const TEXT: &str = "a text of 1 to 1000 characters on one line, with the placeholders of docs/delivery.md";
const STANDARD: &str = "the text in docs/delivery.md";
const PATTERN: &str = "a regular expression of 1 to 500 characters";

pub(crate) const CODES_PER_DAY: Key = Key::new(
    Part::Delivery,
    "codes-per-day",
    "a whole number from 0 to 1000",
    "How many codes are sent to one user within a day, whatever asks for them. Each may cost money. 0 sends none.",
)
.or("10");
pub(crate) const NOTICES: Key = Key::new(
    Part::Delivery,
    "notices",
    "a list with at least one of \"email\", \"sms\", each once",
    "How users hear of changes of their accounts. The first is used for whoever has an address for it (all mail \
     addresses, or one mobile number), the next one for those who have none.",
)
.or("[\"email\", \"sms\"]");
pub(crate) const COUNTRIES: Key = Key::new(
    Part::Delivery,
    "countries",
    "a list of beginnings of numbers, such as \"+49\" or \"+1212\", each once",
    "Only numbers that begin so may be registered and sent to. An empty list allows no number.",
)
.or("every number");
pub(crate) const FORBIDDEN_NUMBERS: Key = Key::new(
    Part::Delivery,
    "forbidden-numbers",
    "a list of patterns, such as \"+4990*\": '+', digits, '?' for one digit, and perhaps '*' at the end",
    "Numbers that are never registered nor sent to, such as those that cost extra.",
)
.or("[]");
pub(crate) const GATEWAY_NAME: Key = Key::new(
    Part::Gateway,
    "name",
    "1 to 64 letters, digits, '.', '_', '-' that no other gateway has",
    "Stands in records and counters.",
);
pub(crate) const GATEWAY_CHANNELS: Key = Key::new(
    Part::Gateway,
    "channels",
    "a list with at least one of \"sms\", \"call\", \"email\"",
    "What it delivers. Of several gateways of one channel, the first that works is taken.",
);
pub(crate) const GATEWAY_KIND: Key =
    Key::new(Part::Gateway, "kind", "\"http\", \"smtp\" or \"program\"", "How it is spoken to.");
pub(crate) const GATEWAY_TIMEOUT: Key = Key::new(
    Part::Gateway,
    "timeout-seconds",
    "a whole number of seconds, 1 to 60",
    "How long handing over one message may take before the next gateway is tried.",
)
.or("10");
pub(crate) const GATEWAY_METHOD: Key =
    Key::new(Part::Gateway, "method", "\"GET\", \"POST\" or \"PUT\"", "The HTTP method.").or("\"POST\"");
pub(crate) const GATEWAY_URL: Key = Key::new(
    Part::Gateway,
    "url",
    "a URL that begins with https:// or http://, with placeholders behind its host",
    "Where the HTTP request goes. Values in it are percent-encoded.",
)
.or("none; `http` needs it");
pub(crate) const GATEWAY_HEADERS: Key = Key::new(
    Part::Gateway,
    "headers",
    "a list of \"Name: value\", the values with placeholders",
    "More headers of the HTTP request.",
)
.or("[]");
pub(crate) const GATEWAY_BODY: Key = Key::new(
    Part::Gateway,
    "body",
    "a text of 1 to 4000 characters with placeholders",
    "The body of the HTTP request. Values in it are escaped as `body-format` needs it.",
)
.or("none");
pub(crate) const GATEWAY_BODY_FORMAT: Key = Key::new(
    Part::Gateway,
    "body-format",
    "\"form\", \"json\", \"xml\" or \"text\"",
    "What the body is. It also sets Content-Type where no header does.",
)
.or("\"form\"");
pub(crate) const GATEWAY_SUCCESS_STATUS: Key = Key::new(
    Part::Gateway,
    "success-status",
    "a list with at least one status, such as \"202\", or class of statuses, such as \"2xx\"; no redirections",
    "Other statuses say that the message was not taken.",
)
.or("[\"2xx\"]");
pub(crate) const GATEWAY_SUCCESS_PATTERN: Key = Key::new(
    Part::Gateway,
    "success-pattern",
    PATTERN,
    "The answer's body must match it, or the message was not taken: many gateways say 200 to everything.",
)
.or("none");
pub(crate) const GATEWAY_FAILURE_PATTERN: Key = Key::new(
    Part::Gateway,
    "failure-pattern",
    PATTERN,
    "If the answer's body matches it, the message was not taken.",
)
.or("none");
pub(crate) const GATEWAY_SERVER: Key = Key::new(
    Part::Gateway,
    "server",
    "a name or address, and perhaps a port, such as \"mail.example.org:587\" or \"[2001:db8::1]:25\"",
    "The mail server. Without a port it is 587, 465 with `tls = \"implicit\"`, or 25 with `tls = \"none\"`.",
)
.or("none; `smtp` needs it");
pub(crate) const GATEWAY_TLS: Key = Key::new(
    Part::Gateway,
    "tls",
    "\"starttls\", \"implicit\" or \"none\"",
    "How the connection to the mail server is encrypted. `starttls` never goes on without.",
)
.or("\"starttls\"");
pub(crate) const GATEWAY_FROM: Key = Key::new(
    Part::Gateway,
    "from",
    "a mail address, or a name and a mail address, such as \"Countersign <mfa@example.org>\"",
    "Who mail is from.",
)
.or("none; mail by `smtp` or `program` needs it");
pub(crate) const GATEWAY_COMMAND: Key = Key::new(
    Part::Gateway,
    "command",
    "a list with the absolute path of a program and its arguments, with {to}, {digits}, {extension}, {channel}, {id}",
    "The program. It is run without a shell and gets the message on standard input only.",
)
.or("none; `program` needs it");
pub(crate) const GATEWAY_USERNAME: Key = Key::new(
    Part::Gateway,
    "username",
    "a text of 1 to 128 characters",
    "The name to sign in with: at a mail server, and as {username} and in {basic} of an HTTP request.",
)
.or("none");
pub(crate) const GATEWAY_PASSWORD_FILE: Key = Key::new(
    Part::Gateway,
    "password-file",
    "a path without '..', absolute or relative to this file",
    "A file with the password and nothing else, closed to all but its owner and group: mode 0640, root:countersign.",
)
.or("none");
pub(crate) const GATEWAY_CA_FILE: Key = Key::new(
    Part::Gateway,
    "ca-file",
    "a path without '..', absolute or relative to this file",
    "Certificates (PEM) of the only authorities that are believed about this gateway.",
)
.or("the authorities of the system");
pub(crate) const GATEWAY_ALLOW_PLAINTEXT: Key = Key::new(
    Part::Gateway,
    "allow-plaintext",
    "true or false",
    "Whether codes may go to another machine unencrypted, by http:// or `tls = \"none\"`. To this machine they may.",
)
.or("false");

macro_rules! texts {
    ($($name:ident, $text:ident: $meaning:literal;)+) => {
        $(pub(crate) const $name: Key =
            Key::new(Part::DeliveryTexts, Text::$text.name(), TEXT, $meaning).or(STANDARD);)+
        /// The key of each text.
        pub(crate) const TEXTS: &[(Text, &Key)] = &[$((Text::$text, &$name)),+];
    };
}

texts! {
    CODE_SMS, CodeSms: "A code by text message.";
    CODE_CALL, CodeCall: "What is said in a call with a code. {spoken} is the code digit by digit.";
    CODE_MAIL_SUBJECT, CodeMailSubject: "The subject of a mail with a code. It never shows the code.";
    CODE_MAIL, CodeMail: "A mail with a code.";
    NOTICE, Notice: "A notice by text message or call. {event} is a text of `[delivery.events]`.";
    NOTICE_MAIL_SUBJECT, NoticeMailSubject: "The subject of a notice by mail.";
    NOTICE_MAIL, NoticeMail: "A notice by mail.";
}

macro_rules! events {
    ($($name:ident, $event:ident: $meaning:literal;)+) => {
        $(pub(crate) const $name: Key =
            Key::new(Part::DeliveryEvents, Event::$event.name(), TEXT, $meaning).or(STANDARD);)+
        /// The key of each event.
        pub(crate) const EVENTS: &[(Event, &Key)] = &[$((Event::$event, &$name)),+];
    };
}

events! {
    FACTOR_ADDED, FactorAdded: "A way to sign in was added.";
    FACTOR_REMOVED, FactorRemoved: "A way to sign in was removed.";
    CONTACT_ADDED, ContactAdded: "A telephone number or mail address was added.";
    CONTACT_REMOVED, ContactRemoved: "A telephone number or mail address was changed or removed.";
    APP_PASSWORD_CREATED, AppPasswordCreated: "An app password was made.";
    RECOVERY_CODE_USED, RecoveryCodeUsed: "A recovery code was used to sign in.";
    RECOVERY_CODES_RENEWED, RecoveryCodesRenewed: "New recovery codes were made.";
    TEMPORARY_CODE_ISSUED, TemporaryCodeIssued: "A temporary code was made.";
    TEMPORARY_CODE_USED, TemporaryCodeUsed: "A temporary code was used to sign in.";
    REGISTRATION_REQUIRED, RegistrationRequired: "The account must be registered anew.";
    REGISTERED, Registered: "The account was registered anew.";
    ACCOUNT_REMOVED, AccountRemoved: "The account was removed.";
}
