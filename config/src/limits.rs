//! Everything that a file could make grow has its limit here, with a name.

/// Octets of `countersign.toml`.
pub const SETTINGS_OCTETS_MAX: u64 = 1 << 20;
/// Octets of `clients.toml`: room for about a hundred thousand clients.
pub const CLIENTS_OCTETS_MAX: u64 = 32 << 20;
/// Errors, and warnings, that are kept of one file; further ones are counted.
pub const FINDINGS_MAX: usize = 200;
/// Octets of a line that is printed under a finding.
pub const SHOWN_LINE_OCTETS_MAX: usize = 400;
/// Characters of a wrong value that are repeated in a message.
pub const SHOWN_VALUE_CHARACTERS_MAX: usize = 60;
/// Characters of the name of a rule, client, service or issuer.
pub const NAME_CHARACTERS_MAX: usize = 64;
/// Octets of a file with one password.
pub const PASSWORD_OCTETS_MAX: u64 = 4096;
/// Gateways that codes and notices are handed to.
pub const GATEWAYS_MAX: usize = 16;
/// Seconds that a gateway may have for one message.
pub const GATEWAY_SECONDS_MAX: u16 = 60;
/// Codes that may be sent to one user within a day.
pub const CODES_PER_DAY_MAX: u16 = 1000;
/// Characters of a text that is sent.
pub const TEXT_CHARACTERS_MAX: usize = 1000;
/// Characters of the body, of the URL and of one header of a request to a gateway, or of an argument of a program.
pub const TEMPLATE_CHARACTERS_MAX: usize = 4000;
/// Characters of a pattern for a gateway's answers.
pub const PATTERN_CHARACTERS_MAX: usize = 500;
/// Characters of a name to sign in with.
pub const SIGN_IN_NAME_CHARACTERS_MAX: usize = 128;
/// Headers, or arguments, of one gateway.
pub const TEMPLATES_MAX: usize = 40;
/// Days for which registration may be put off.
pub const DEADLINE_DAYS_MAX: u16 = 3650;
/// Sign-ins at which it may.
pub const DEADLINE_SIGN_INS_MAX: u16 = 1000;
/// Octets of a RADIUS secret.
pub const SECRET_OCTETS_MAX: usize = 128;
/// Octets under which a RADIUS secret is warned of (draft-ietf-radext-deprecating-radius).
pub const SECRET_OCTETS_WARNED: usize = 16;
/// How often a change of `clients.toml` begins again because another one was faster.
pub const LOCK_ROUNDS_MAX: u32 = 1000;
/// Milliseconds that a floor may have: a gateway's patience is short.
pub const FLOOR_MILLISECONDS_MAX: u16 = 1000;
