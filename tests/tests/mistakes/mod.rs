//! Mistakes that administrators make, each with the lines of a shell that make it, and what the doctor finds then.

pub(crate) const PAM: &str = "/etc/pam.d";
/// The file that docs/pam.md has sshd's lines in.
pub(crate) const CONFIG: &str = "/etc/ssh/sshd_config.d/10-countersign.conf";

/// One of them.
pub(crate) struct Mistake {
    pub(crate) name: &'static str,
    pub(crate) changes: &'static [&'static str],
    /// Each as `kind file:line`; `ARCH` is the machine's.
    pub(crate) found: &'static [&'static str],
}

const fn mistake(
    name: &'static str,
    changes: &'static [&'static str],
    found: &'static [&'static str],
) -> Mistake {
    Mistake { name, changes, found }
}

/// Stacks are written into a service of their own, where the numbers of lines can be seen.
pub(crate) const MISTAKES: &[Mistake] = &[
    mistake(
        "sufficient",
        &[
            "printf 'auth sufficient pam_countersign.so primary=own\\n@include common-auth\\n@include common-account\\n' >/etc/pam.d/imap",
        ],
        &["nullok /etc/pam.d/common-auth:17", "ours-passed-over /etc/pam.d/imap:1"],
    ),
    mistake(
        "optional",
        &[
            "printf 'auth required pam_unix.so\\nauth optional pam_countersign.so primary=stack\\n@include common-account\\n' >/etc/pam.d/imap",
        ],
        &["ours-passed-over /etc/pam.d/imap:2"],
    ),
    mistake(
        "pam_unix sufficient above ours",
        &["sed -i '/^auth.*primary/i auth sufficient pam_unix.so' /etc/pam.d/sshd"],
        &["ends-above-ours /etc/pam.d/sshd:4"],
    ),
    mistake(
        "a jump one line too long",
        &[
            "printf 'auth [success=2 default=ignore] pam_unix.so\\nauth required pam_countersign.so primary=failed\\nauth requisite pam_deny.so\\nauth required pam_permit.so\\n@include common-account\\n' >/etc/pam.d/imap",
        ],
        &["jumps-over-ours /etc/pam.d/imap:1"],
    ),
    mistake(
        "the second line of stack (b) left out",
        &[
            "printf 'auth [success=1 default=ignore] pam_unix.so\\nauth required pam_permit.so\\nauth required pam_countersign.so primary=stack\\n@include common-account\\n' >/etc/pam.d/imap",
        ],
        &["refused-password-counts /etc/pam.d/imap:1"],
    ),
    mistake(
        "the code alone at the console",
        &[
            "printf 'auth required pam_countersign.so primary=none\\n@include common-account\\n' >/etc/pam.d/imap",
        ],
        &["nobody-vouches /etc/pam.d/imap:1"],
    ),
    mistake(
        "nullok",
        &["sed -i 's/pam_unix.so$/pam_unix.so nullok/' /etc/pam.d/sudo"],
        &["nullok /etc/pam.d/sudo:6"],
    ),
    mistake(
        "sudo-i forgotten",
        &["sed -i 's/^auth.*failed/@include common-auth/; /^auth/d' /etc/pam.d/sudo-i"],
        &["sibling-without /etc/pam.d/sudo-i:6"],
    ),
    mistake(
        "lines in pam.conf",
        &["printf 'imap auth required pam_countersign.so primary=own\\n' >/etc/pam.conf"],
        &["pam-conf-ignored /etc/pam.conf:1"],
    ),
    mistake(
        "the module misspelt",
        &[
            "sed -i 's/pam_countersign.so primary=own/\\/usr\\/lib\\/pam_countersign.so primary=own/' /etc/pam.d/sshd",
        ],
        &["module-missing /etc/pam.d/sshd:4"],
    ),
    mistake(
        "an unknown argument",
        &["sed -i 's/primary=own/primary=own debug/' /etc/pam.d/sshd"],
        &["module-arguments /etc/pam.d/sshd:4"],
    ),
    mistake(
        "a control misspelt",
        &[
            "sed -i 's/^auth required pam_countersign.so primary=own/auth requierd pam_countersign.so primary=own/' /etc/pam.d/sshd",
        ],
        &["bad-line /etc/pam.d/sshd:4"],
    ),
    mistake(
        "a file to include that is not there",
        &[
            "printf 'auth required pam_countersign.so primary=own\\n@include common-acount\\naccount required pam_unix.so\\n' >/etc/pam.d/imap",
        ],
        &["missing-include /etc/pam.d/imap:2"],
    ),
    mistake(
        "a directory that keeps the password",
        &["sed -i 's/pam_unix.so$/pam_sss.so/' /etc/pam.d/login"],
        &["password-not-handed-on /etc/pam.d/login:57"],
    ),
    mistake(
        "the service called countersign",
        &["cp /etc/pam.d/sshd /etc/pam.d/countersign"],
        &["named-countersign /etc/pam.d/countersign:4"],
    ),
    mistake(
        "ours alone for su",
        &["sed -i '/^auth.*pam_unix/d; /^auth.*failed/d; s/primary=stack/primary=own/' /etc/pam.d/su"],
        &["su-to-root /etc/pam.d/su:57"],
    ),
    mistake(
        "account lines lost",
        &["printf 'auth required pam_countersign.so primary=own\\n' >/etc/pam.d/imap"],
        &["account-of-other /etc/pam.d/imap:1"],
    ),
    mistake(
        "common-auth still standing",
        &[
            "printf '@include common-auth\\nauth required pam_countersign.so primary=own\\n@include common-account\\n' >/etc/pam.d/imap",
            "sed -i 's/ nullok//' /etc/pam.d/common-auth",
        ],
        &["two-passwords /etc/pam.d/common-auth:17"],
    ),
    mistake(
        "google-authenticator left beside ours",
        &["sed -i '/primary=own/a auth required pam_google_authenticator.so nullok' /etc/pam.d/sshd"],
        &["other-second-factor /etc/pam.d/sshd:5"],
    ),
    mistake(
        "faillock above ours",
        &["sed -i '/primary=own/i auth required pam_faillock.so preauth' /etc/pam.d/sshd"],
        &["faillock-beside /etc/pam.d/sshd:4"],
    ),
    mistake(
        "ours among the account lines",
        &[
            "printf 'auth required pam_countersign.so primary=own\\naccount required pam_countersign.so primary=own\\naccount required pam_unix.so\\n' >/etc/pam.d/imap",
        ],
        &["outside-auth /etc/pam.d/imap:2"],
    ),
    mistake(
        "a key alone among the methods",
        &[
            "sed -i 's/^AuthenticationMethods.*/AuthenticationMethods publickey keyboard-interactive/' /etc/ssh/sshd_config.d/10-countersign.conf",
        ],
        &["key-alone /etc/ssh/sshd_config.d/10-countersign.conf:4"],
    ),
    mistake(
        "UsePAM no",
        &["printf 'UsePAM no\\n' >/etc/ssh/sshd_config.d/05-other.conf"],
        &["sshd-without-pam /etc/ssh/sshd_config.d/05-other.conf:1"],
    ),
    mistake(
        "no questions",
        &["printf 'ChallengeResponseAuthentication no\\n' >/etc/ssh/sshd_config.d/05-other.conf"],
        &["questions-off /etc/ssh/sshd_config.d/05-other.conf:1"],
    ),
    mistake(
        "passwords as a cloud's image has them",
        &["printf 'PasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/05-cloud-init.conf"],
        &["password-method /etc/ssh/sshd_config.d/05-cloud-init.conf:1"],
    ),
    mistake(
        "empty passwords",
        &["printf 'PermitEmptyPasswords yes\\n' >/etc/ssh/sshd_config.d/05-other.conf"],
        &["empty-passwords /etc/ssh/sshd_config.d/05-other.conf:1"],
    ),
    mistake(
        "a key that nobody asks for",
        &["sed -i 's/primary=own/primary=none/' /etc/pam.d/sshd"],
        &["key-not-asked /etc/ssh/sshd_config.d/10-countersign.conf:4"],
    ),
    mistake(
        "a block that takes the methods back",
        &[
            "printf 'Match Group staff\\nAuthenticationMethods publickey\\n' >/etc/ssh/sshd_config.d/20-staff.conf",
        ],
        &["match-takes-back /etc/ssh/sshd_config.d/20-staff.conf:2"],
    ),
    mistake(
        "a block for sftp",
        &[
            "printf 'Match Group sftponly\\nForceCommand internal-sftp\\n' >/etc/ssh/sshd_config.d/20-sftp.conf",
        ],
        &["forced-command /etc/ssh/sshd_config.d/20-sftp.conf:2"],
    ),
    mistake(
        "people register in two minutes",
        &[
            "printf '[[registration.opening]]\\nname = \"office\"\\nservices = [\"sshd\"]\\nnetworks = [\"10.0.0.0/8\"]\\n' >>/etc/countersign/countersign.toml",
        ],
        &["grace-too-short /etc/ssh/sshd_config:1"],
    ),
    mistake("a stack that others can write", &["chmod o+w /etc/pam.d/sshd"], &["writable /etc/pam.d/sshd"]),
    mistake("a stack of somebody's", &["chown alice /etc/pam.d/sshd"], &["wrong-owner /etc/pam.d/sshd"]),
    mistake(
        "a module that others can write",
        &["chmod 0666 /usr/lib/*-linux-gnu/security/pam_countersign.so"],
        &["writable /usr/lib/ARCH-linux-gnu/security/pam_countersign.so"],
    ),
    mistake(
        "a socket that anybody can replace",
        &["chmod 0777 /run/countersign"],
        &["socket-folder /run/countersign"],
    ),
    mistake(
        "settings with a mistake",
        &["sed -i '1i polici = 1' /etc/countersign/countersign.toml"],
        &["settings /etc/countersign/countersign.toml:1"],
    ),
    mistake(
        "a key that others can read",
        &["chmod 0644 /var/lib/countersign/master.key"],
        &["store-exposed /var/lib/countersign/master.key"],
    ),
    mistake(
        "a RADIUS client without a server",
        &["countersign client add gate --address 127.0.0.1 >/dev/null"],
        &["radius-away /etc/countersign/clients.toml"],
    ),
];
