//! What countersign-local is among the servers, and its help.

use assembly::config::Settings;
use assembly::daemon::Program;

/// Mistakes among RADIUS clients lock nobody out of the machine: they are not read.
pub const PROGRAM: Program = Program {
    name: "countersign-local",
    stream: "local",
    help: HELP,
    takes_socket: true,
    serves_break_glass: true,
    load: Settings::load_without_clients,
};

const HELP: &str = "\
countersign-local: asks for the second proof of PAM callers that are not root, and of root's.

Usage: countersign-local [OPTIONS]

      --config PATH  The configuration [default: /etc/countersign/countersign.toml]
      --socket PATH  Where to listen, if systemd has not handed a socket over
                     [default: /run/countersign/local.sock]
      --user NAME    Started as root, become this user [default: countersign]
      --check        Read the configuration, say what is wrong with it, and end
      --help         Print this
      --version      Print the version

SIGHUP reads the configuration again; with a mistake in it, the old one stays in force.
SIGTERM and SIGINT end the service after the logins that it works on. SIGUSR1 writes the counters to the log.
Accounts are made with 'countersign': 'countersign help'.
";

#[cfg(test)]
mod tests {
    use assembly::config::paths::{LOCAL_SOCKET, SETTINGS_FILE};
    use assembly::places::SYSTEM_USER;

    #[test]
    fn the_help_tells_the_defaults() {
        for default in [SETTINGS_FILE, LOCAL_SOCKET, SYSTEM_USER] {
            assert!(super::HELP.contains(&format!("[default: {default}]")), "{default}");
        }
    }
}
