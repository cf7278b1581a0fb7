//! What countersign-radiusd is among the servers, and its help.

use assembly::config::Settings;
use assembly::daemon::Program;

/// The counters are read from a socket, whose place is the state directory.
pub const PROGRAM: Program = Program {
    name: "countersign-radiusd",
    stream: "radiusd",
    help: HELP,
    takes_socket: false,
    serves_break_glass: false,
    load: Settings::load,
};

const HELP: &str = "\
countersign-radiusd: asks for the second proof over RADIUS.

Usage: countersign-radiusd [OPTIONS]

      --config PATH  The configuration [default: /etc/countersign/countersign.toml]
      --user NAME    Started as root, become this user [default: countersign]
      --check        Read the configuration, say what is wrong with it, and end
      --help         Print this
      --version      Print the version

SIGHUP reads the configuration again; with a mistake in it, the old one stays in force.
SIGTERM and SIGINT end the server after the logins that it works on. 'countersign stats' shows its counters.
Accounts and clients are made with 'countersign': 'countersign help'.
";

#[cfg(test)]
mod tests {
    use assembly::config::paths::SETTINGS_FILE;
    use assembly::places::SYSTEM_USER;

    #[test]
    fn the_help_tells_the_defaults() {
        for default in [SETTINGS_FILE, SYSTEM_USER] {
            assert!(super::HELP.contains(&format!("[default: {default}]")), "{default}");
        }
    }
}
