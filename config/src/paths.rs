//! Where things are. Compiled in: no environment variable is trusted inside a PAM caller.

/// The settings.
pub const SETTINGS_FILE: &str = "/etc/countersign/countersign.toml";
/// The RADIUS clients, unless the settings name another file; relative to the settings.
pub const CLIENTS_FILE: &str = "clients.toml";
/// The file of the break-glass accounts, unless the settings name another one; in the state directory.
pub const BREAK_GLASS_FILE: &str = "break-glass";
/// The store and the master key, unless the settings name another folder.
pub const STATE_DIRECTORY: &str = "/var/lib/countersign";
/// The socket of countersign-local, unless the module's line names another one.
pub const LOCAL_SOCKET: &str = "/run/countersign/local.sock";
