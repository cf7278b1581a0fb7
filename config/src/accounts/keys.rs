//! Every key that a file with accounts may hold.

use crate::keys::{Key, Part};

pub(super) const VERSION: Key = Key::new(
    Part::Sealed,
    "version",
    "1",
    "The form of the sealed values. A newer program may write another one.",
);
pub(super) const SALT: Key = Key::new(
    Part::Sealed,
    "salt",
    "16 octets in base64",
    "Makes the key of this file another one than that of any other.",
);
pub(super) const MEMORY: Key = Key::new(
    Part::Sealed,
    "memory-kib",
    "a whole number from 8192 to 262144",
    "KiB of memory that argon2id uses to make the key.",
);
pub(super) const PASSES: Key =
    Key::new(Part::Sealed, "passes", "a whole number from 1 to 10", "Passes of argon2id over that memory.");
pub(super) const LANES: Key =
    Key::new(Part::Sealed, "lanes", "a whole number from 1 to 16", "Lanes of argon2id.");
pub(super) const CHECK: Key = Key::new(
    Part::Sealed,
    "check",
    "a sealed value in base64",
    "Tells whether a passphrase is the right one.",
);
pub(super) const NAME: Key =
    Key::new(Part::Account, "name", "a user name", "The user, as the primary knows the name.");
pub(super) const STATE: Key = Key::new(
    Part::Account,
    "state",
    "\"disabled\", \"enabled\" or \"enforced\"",
    "Whether a second proof is asked. Left out, it stays; of a new account it is the default-state of the settings.",
)
.or("as it is");
pub(super) const ROLE: Key = Key::new(
    Part::Account,
    "role",
    "\"user\" or \"administrator\"",
    "Administrators are privileged everywhere.",
)
.or("as it is");
pub(super) const DEADLINE: Key = Key::new(
    Part::Account,
    "deadline",
    "a day such as \"2026-12-24\", a moment such as \"2026-12-24T08:00:00Z\", or \"none\"",
    "Until when registration may be put off while `enabled`.",
)
.or("as it is, or none where `sign-ins` is given; of a new account that of the settings");
pub(super) const SIGN_INS: Key = Key::new(
    Part::Account,
    "sign-ins",
    "a whole number",
    "How many more times registration may be put off while `enabled`.",
)
.or("as it is, or none where `deadline` is given; of a new account that of the settings");
pub(super) const BLOCKED: Key = Key::new(
    Part::Account,
    "blocked",
    "\"indefinitely\", or a moment such as \"2026-12-24T00:00:00Z\" until which it holds",
    "Refused at every door. A file lifts no block.",
)
.or("as it is");
pub(super) const MUST_REGISTER_AGAIN: Key = Key::new(
    Part::Account,
    "must-register-again",
    "true or false",
    "With true, all factors must be registered anew. A file lifts no such demand.",
)
.or("false: as it is");
pub(super) const CONTACT_KIND: Key = Key::new(
    Part::AccountContact,
    "kind",
    "\"mobile\", \"office\" or \"email\"",
    "What it is: text messages go to a mobile only.",
);
pub(super) const CONTACT_ADDRESS: Key = Key::new(
    Part::AccountContact,
    "address",
    "a telephone number with its country, such as \"+4915112345678\", or a mail address",
    "Where.",
);
pub(super) const CONTACT_EXTENSION: Key = Key::new(
    Part::AccountContact,
    "extension",
    "1 to 10 of the digits 0 to 9, '*' and '#'",
    "What is dialled after an office number has answered.",
)
.or("none");
pub(super) const SET_BY: Key = Key::new(
    Part::AccountContact,
    "set-by",
    "\"user\", \"administrator\" or \"directory\"",
    "Who says so: whoever merely knows the password may not register by one that is the user's own word.",
)
.or("\"administrator\"");
pub(super) const FACTOR_KIND: Key = Key::new(
    Part::AccountFactor,
    "kind",
    "\"totp\", \"hotp\", \"mobile\", \"office\" or \"email\"",
    "An app or token that goes by the clock, one that counts, or where codes are sent.",
);
pub(super) const LABEL: Key = Key::new(
    Part::AccountFactor,
    "label",
    "1 to 64 characters, no control characters",
    "The user's word for it.",
);
pub(super) const DEFAULT: Key = Key::new(
    Part::AccountFactor,
    "default",
    "true or false, true for one factor of an account",
    "Used where the user names none.",
)
.or("false");
pub(super) const ALGORITHM: Key = Key::new(
    Part::AccountFactor,
    "algorithm",
    "\"sha1\", \"sha256\" or \"sha512\"; for totp",
    "The hash behind a code.",
)
.or("\"sha1\"");
pub(super) const DIGITS: Key = Key::new(
    Part::AccountFactor,
    "digits",
    "a whole number from 6 to 8; for totp and hotp",
    "Digits of a code.",
)
.or("6");
pub(super) const PERIOD: Key = Key::new(
    Part::AccountFactor,
    "period-seconds",
    "a whole number from 1 to 86400; for totp",
    "Seconds for which a code is shown.",
)
.or("30");
pub(super) const DRIFT: Key = Key::new(
    Part::AccountFactor,
    "drift",
    "a whole number; for totp",
    "Periods by which the clock of the token is ahead.",
)
.or("0");
pub(super) const COUNTER: Key = Key::new(
    Part::AccountFactor,
    "counter",
    "a whole number; for hotp",
    "The first counter that is good. It is raised by this and never lowered.",
)
.or("0");
pub(super) const FACTOR_ADDRESS: Key = Key::new(
    Part::AccountFactor,
    "address",
    "a telephone number or mail address, as that of a contact; for mobile, office and email",
    "Where codes are sent.",
)
.or("none; a factor to which codes are sent needs it");
pub(super) const FACTOR_EXTENSION: Key = Key::new(
    Part::AccountFactor,
    "extension",
    "as that of a contact; for office",
    "What is dialled after an office number has answered.",
)
.or("none");
pub(super) const SECRET: Key = Key::new(
    Part::AccountFactor,
    "secret",
    "a sealed value in base64; for totp and hotp",
    "The shared secret. It opens with the passphrase, in the account and beside the label, numbers and algorithm that it was \
     written with.",
)
.or("none; totp and hotp need it");

/// Every key of the file, for its table in docs/rolling-out.md.
pub const KEYS: [&Key; 28] = [
    &NAME,
    &STATE,
    &ROLE,
    &DEADLINE,
    &SIGN_INS,
    &BLOCKED,
    &MUST_REGISTER_AGAIN,
    &CONTACT_KIND,
    &CONTACT_ADDRESS,
    &CONTACT_EXTENSION,
    &SET_BY,
    &FACTOR_KIND,
    &LABEL,
    &DEFAULT,
    &ALGORITHM,
    &DIGITS,
    &PERIOD,
    &DRIFT,
    &COUNTER,
    &FACTOR_ADDRESS,
    &FACTOR_EXTENSION,
    &SECRET,
    &VERSION,
    &SALT,
    &MEMORY,
    &PASSES,
    &LANES,
    &CHECK,
];
