//! Everything that a stranger could make grow has its limit here, with a name.

/// Octets of a canonical user name.
pub const USERNAME_OCTETS_MAX: usize = 256;
/// Octets of a typed name that are kept for the record.
pub const TYPED_NAME_OCTETS_MAX: usize = 256;
/// Octets of an answer; a longer one is no answer (Linux-PAM: `PAM_MAX_RESP_SIZE`).
pub const ANSWER_OCTETS_MAX: usize = 512;
/// Octets of a source as recorded (an address, a Calling-Station-Id).
pub const SOURCE_OCTETS_MAX: usize = 253;
/// Octets of a prompt, so that it fits one RADIUS Reply-Message (RFC 2865 §5.18).
pub const PROMPT_OCTETS_MAX: usize = 253;
/// Octets of the sentence that says which apps fit: a question stands behind it.
pub const APPS_OCTETS_MAX: usize = 200;
/// Octets of what an app scans: more of them make no picture that fits a terminal.
pub const QR_OCTETS_MAX: usize = 160;
/// Times that one attempt may be asked anything, guesses or not.
pub const ROUNDS_MAX: u8 = 8;
/// Guesses that one attempt may make at its second step.
pub const GUESSES_MAX: u8 = 3;
/// Seconds that a begun login stays open.
pub const SESSION_SECONDS: u64 = 300;
/// Times that one registration may be asked anything, what came before it included.
pub const SETUP_ROUNDS_MAX: u8 = 24;
/// Questions that have to be left for adding a factor to the own account, a few mistakes included.
pub const ROUNDS_OF_ADDING: u8 = 6;
/// Sign-ins that a user is shown.
pub const SIGN_INS_SHOWN: u32 = 4;
/// Seconds that a login stays open in which somebody registers: an app may have to be installed first.
pub const SETUP_SECONDS: u64 = 900;
/// Octets of a mail address that a user may register at a prompt: it is carried in the session.
pub const SETUP_ADDRESS_OCTETS_MAX: usize = 100;
/// Seconds by which the clocks of two servers may differ.
pub const CLOCK_DIFFERENCE_SECONDS: u64 = 30;
/// Seconds in which a success answers its own retransmission.
pub const RETRANSMISSION_SECONDS: u64 = 30;
/// How often a login that lost a race is decided again.
pub const RACES_MAX: u8 = 5;
/// Wrong answers from one source before its lane must wait.
pub const FREE_FAILURES: u32 = 5;
/// Seconds of the first wait; it doubles from there.
pub const FIRST_WAIT_SECONDS: u64 = 30;
/// Seconds that a wait never exceeds.
pub const LONGEST_WAIT_SECONDS: u64 = 900;
/// Seconds without an answer after which a lane is as new.
pub const LANE_KEPT_SECONDS: u64 = 86_400;
/// Lanes (user and source) that a store remembers.
pub const LANES_MAX: u32 = 100_000;
/// Wrong second proofs for one account in an hour from all sources without a recent success.
pub const CAP_IN_HOUR: u32 = 20;
/// Seconds of that hour.
pub const CAP_HOUR_SECONDS: u64 = 3600;
/// Wrong second proofs for one account in a row from all sources without a recent success.
pub const CAP_IN_ROW: u32 = 100;
/// Seconds for which a success from a source counts as recent.
pub const KNOWN_SECONDS: u64 = 30 * 86_400;
/// Seconds after which a recent success is written down anew: not at every login.
pub const KNOWN_RENEWED_SECONDS: u64 = 86_400;
/// Sources with a recent success that are remembered of one account.
pub const KNOWN_SOURCES_MAX: u32 = 16;
/// Seconds for which refusals and questions are counted together once they are many.
pub const TALLY_SECONDS: u64 = 60;
/// Refusals and questions of one name that are recorded singly in that time.
pub const TALLY_FREE: u32 = 12;
/// Refusals of names that nobody has that are recorded singly in that time.
pub const TALLY_FREE_OF_UNKNOWN: u32 = 60;
/// Refusals and questions of all names without a right password that are recorded singly in that time.
pub const TALLY_FREE_OF_ALL: u32 = 600;
/// Names whose refusals are counted apart at one time; the others share one count.
pub const TALLIES_MAX: u32 = 100;
/// Steps before and after the current one at which a TOTP code is good (RFC 6238 §5.2).
pub const TOTP_SKEW_STEPS: u64 = 1;
/// Factors of one account.
pub const FACTORS_MAX: usize = 20;
/// App passwords of one account.
pub const APP_PASSWORDS_MAX: usize = 40;
/// Remembered devices of one account; of more, the oldest go.
pub const TICKETS_MAX: usize = 20;
/// Seconds for which a device may be remembered that no SSH key tells from others in the same place.
pub const TICKET_SECONDS_MAX: u64 = 12 * 3600;
/// Seconds for which one may be remembered that an SSH key does tell.
pub const TICKET_WITH_KEY_SECONDS_MAX: u64 = 30 * 86_400;
/// Octets of a Calling-Station-Id (RFC 2865 §5).
pub const STATION_OCTETS_MAX: usize = 253;
/// Recovery codes left at which the user is warned.
pub const FEW_RECOVERY_CODES: usize = 3;
/// Recovery codes in one set.
pub const RECOVERY_CODES: usize = 10;
/// Seconds after the end of its validity at which a spent code is forgotten (the floor rises to it).
pub const SPENT_KEPT_SECONDS: u64 = 3600;
/// Acts on many accounts that are written in one transaction: each waits no longer for its disk than one alone.
pub const ACTS_TOGETHER: usize = 256;
/// Characters of a label.
pub const LABEL_CHARACTERS_MAX: usize = 64;
/// Seconds for which a code that was sent is good.
pub const CODE_SECONDS: u64 = 300;
/// Answers that may be looked at while a code that was sent is good.
pub const CODE_TRIES: u8 = 5;
/// Seconds in which a login begun again waits for the code that was sent already, and no other one is sent.
pub const CODE_JOINED_SECONDS: u64 = 60;
/// Seconds of the day in which codes to one user are counted, whenever it begins.
pub const CODE_DAY_SECONDS: u64 = 86_400;
/// Codes that may be sent to one user in a day, whatever limit is configured.
pub const CODES_IN_DAY_MAX: u32 = 100;
/// Notices to one user that go out as text messages in any 24 hours: each costs money. What an address hears of its own
/// removal is not among them: it cannot be removed more often than it was proven by a code, or set by an administrator.
pub const NOTICE_TEXTS_IN_DAY: u32 = 10;
/// Notices of one user that wait to be sent; of more, the newest are left out: the oldest tell of the change of address.
pub const NOTICES_WAITING_PER_USER_MAX: u32 = 100;
/// Notices of all users that wait to be sent; those beyond are left out.
pub const NOTICES_WAITING_MAX: u64 = 250_000;
/// Messages that wait to be sent; beyond it no code is sent either.
pub const MESSAGES_WAITING_MAX: u64 = 300_000;
/// Codes that are sent to one user within a day, where the settings do not say.
pub const CODES_PER_DAY: u32 = 10;
/// Which part of a user's codes of a day whoever knows nothing but the name can have sent: one in so many.
pub const CODES_FOR_ANYBODY_PART: u32 = 3;
/// Digits of a code that is sent.
pub const CODE_DIGITS: u8 = 6;
/// Contacts of one account.
pub const CONTACTS_MAX: usize = 10;
/// Seconds for which a temporary code is good where nothing else is asked for.
pub const TEMPORARY_CODE_SECONDS: u64 = 86_400;
/// Seconds for which a temporary code may be good.
pub const TEMPORARY_CODE_SECONDS_MAX: u64 = 7 * 86_400;
/// Seconds for which a notice is worth sending.
pub const NOTICE_SECONDS: u64 = 3 * 86_400;
/// Counters of an HOTP token beyond the last one at which a code is good (RFC 4226 section 7.4).
pub const HOTP_LOOK_AHEAD: u64 = 10;
/// Counters, or steps to either side, in which two codes in a row are looked for.
pub const RESYNC_WINDOW: u64 = 100;
/// Seconds after which a sign-in is written down anew as the last one.
pub const SIGNED_IN_RENEWED_SECONDS: u64 = 3600;
/// Characters of a passphrase that secrets are sealed to: whoever has the file can guess as fast as machines do.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 12;
/// KiB of memory that a sealed file may ask for.
pub const PASSPHRASE_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Passes over that memory that it may ask for.
pub const PASSPHRASE_PASSES_MAX: u32 = 10;
/// Lanes that it may ask for.
pub const PASSPHRASE_LANES_MAX: u32 = 16;
