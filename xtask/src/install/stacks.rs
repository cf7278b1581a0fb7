//! What an administrator does after an installation; docs/pam.md says more. Nothing of this is done for anybody.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::files::MODULE;
use crate::install::placing::below;

/// The suite `install` follows these lines: what is indented by four spaces is typed or written as it stands.
pub(super) const NEXT_STEPS: &str = "\
Nobody is asked for a second proof yet. To have sshd ask for one:

1. Keep a root session open until a new login has worked from another terminal.
2. Set Countersign up, register somebody, and see it work:
    countersign init
    countersign user add NAME --password-prompt
    countersign enroll NAME totp
    countersign test NAME
3. Keep what is there now:
    cp -p /etc/pam.d/sshd /root/pam.d-sshd.before
4. In /etc/pam.d/sshd, in place of the line `@include common-auth`, write one of these stacks, whole: each line counts.
   (a) Countersign checks the password, by the backend of its settings, and the code:
    auth  required  pam_countersign.so primary=own
   (b) The system's password, then the code:
    auth  [success=1 default=ignore]  pam_unix.so
    auth  [success=done default=die]  pam_countersign.so primary=failed
    auth  required                    pam_countersign.so primary=stack
   (c) A public key, then the code:
    auth  required  pam_countersign.so primary=none
5. In the new file /etc/ssh/sshd_config.d/10-countersign.conf, write
    UsePAM yes
    KbdInteractiveAuthentication yes
    PasswordAuthentication no
    AuthenticationMethods keyboard-interactive
   Without the last line a public key alone lets in, because sshd does not ask PAM then.
   For stack (c) the last line is:
    AuthenticationMethods publickey,keyboard-interactive
   Debian's default, `PermitRootLogin prohibit-password`, shuts root out of ssh with these lines, also with a key: sshd
   then answers in root's place. Where root has an account with a factor and is to sign in by ssh, add behind them
    PermitRootLogin yes
   Whoever is to register at a sign-in needs longer for it than the 120 seconds that sshd waits. While people do, add
    LoginGraceTime 600
6. Have sshd read it:
    sshd -t && systemctl reload ssh

To go back, in the root session:
    cp -p /root/pam.d-sshd.before /etc/pam.d/sshd
    rm /etc/ssh/sshd_config.d/10-countersign.conf
    sshd -t && systemctl reload ssh

For VPN gateways and firewalls, the RADIUS server. It listens on loopback only, until `listen` in
/etc/countersign/countersign.toml says otherwise:
    countersign client add NAME --address ADDRESS
    systemctl daemon-reload && systemctl enable --now countersign-radiusd

For sudo, su, screen lockers and other programs whose callers are not root, the local service; their stacks are in
docs/pam.md. ssh logins use it too where it runs, and need it nowhere:
    systemctl daemon-reload && systemctl enable --now countersign-local.socket
";

/// Of the next steps, the lines to type or write that follow the line with this beginning.
pub(crate) fn lines_after(beginning: &str) -> String {
    let following = NEXT_STEPS.lines().skip_while(|line| !line.starts_with(beginning)).skip(1);
    let lines = following.map_while(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Where Linux-PAM looks for stacks (pam.conf(5)): a file for each service, or one with all.
const STACK_FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
const ALL_STACKS: &str = "/etc/pam.conf";

/// The PAM files below `destination` with a line that names the module: without it, nobody gets in there.
pub(super) fn naming_the_module(destination: &Path) -> Vec<PathBuf> {
    let folders = STACK_FOLDERS.iter().map(|folder| below(destination, Path::new(folder)));
    let entries = folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let files = entries.map(|entry| entry.path()).chain([below(destination, Path::new(ALL_STACKS))]);
    let mut naming: Vec<PathBuf> = files.filter(|file| names(file)).collect();
    naming.sort();
    naming
}

fn names(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| line.split('#').next().unwrap_or_default().contains(MODULE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_names_the_module_is_found() {
        let machine = tempfile::tempdir().unwrap();
        let write = |name: &str, line: &str| {
            let file = machine.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, line).unwrap();
            file
        };
        let named = [
            write("etc/pam.conf", "sshd auth required pam_countersign.so primary=own\n"),
            write("etc/pam.d/sshd", "auth required pam_countersign.so primary=own\n"),
            write("usr/lib/pam.d/su", "auth required pam_countersign.so primary=own\n"),
        ];
        write("etc/pam.d/login", "auth required pam_unix.so # not pam_countersign.so yet\n");
        assert_eq!(naming_the_module(machine.path()), named);
    }

    /// docs/pam.md explains the stacks; the lines must be the same.
    #[test]
    fn the_stacks_are_those_of_the_docs() {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let docs = fs::read_to_string(crate::cargo::repository().join("docs/pam.md")).unwrap();
        let documented: Vec<String> = docs.lines().map(words).collect();
        let printed = NEXT_STEPS.lines().filter(|line| line.starts_with("    ") && line.contains("auth "));
        let printed: Vec<String> = printed.map(words).collect();
        assert_eq!(printed.len(), 5);
        for line in printed {
            assert!(documented.contains(&line), "{line}");
        }
    }
}
