//! Why a login ended as it did: a closed list, the same in every record, counter and page of the documentation.

use serde::{Deserialize, Serialize};

crate::closed_list! {
    /// Why a login or act ended as it did.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Reason {
        /// Accepted: the first password and a second proof were right.
        BothProofs = "both-proofs",
        /// Accepted: an app password in its scope stood for both.
        AppPasswordAlone = "app-password-alone",
        /// Accepted: the client asks for the second proof only, and it was right.
        SecondProofAlone = "second-proof-alone",
        /// Accepted, or left to other modules, without a second step: the account's state is `disabled`.
        SkippedDisabled = "skipped-disabled",
        /// Accepted, or left to other modules, without a second step: the account is `enabled` and has registered nothing yet.
        SkippedNotRegistered = "skipped-not-registered",
        /// Accepted, or left to other modules, without a second step: a rule says so.
        SkippedByRule = "skipped-by-rule",
        /// Accepted: the same answer to the same State came again, as after a lost packet.
        Retransmission = "retransmission",
        /// Accepted: the user registered, and proved it.
        Registered = "registered",
        /// Asked whether to register now or later; a login that ends here was never answered.
        RegistrationOffered = "registration-offered",
        /// A registration has begun; one that ends here has changed nothing but what its `factor` used up.
        RegistrationBegun = "registration-begun",
        /// The user looks after the own account; each change is a record of its own.
        Managed = "managed",
        /// Asked for a code that was sent.
        CodeSent = "code-sent",
        /// Asked for a code that was sent already: no other one was sent.
        CodeSentBefore = "code-sent-before",
        /// No code was sent: nothing is configured or running here that could send it.
        ChannelUnavailable = "channel-unavailable",
        /// No code was sent: numbers like this one are not used here.
        NumberNotAllowed = "number-not-allowed",
        /// No code was sent: the user has had as many in a day as the settings allow.
        TooManyCodes = "too-many-codes",
        /// The account had to be registered by now and was not: it takes a temporary code.
        RegistrationOverdue = "registration-overdue",
        /// The account must be registered anew, and this door cannot lead through it.
        RegistrationRequired = "registration-required",
        /// Nobody may register from here with what was given, or the account has changed meanwhile.
        RegistrationRefused = "registration-refused",
        /// Asked for the second proof; a login that ends here was never answered.
        Challenged = "challenged",
        /// The first password was wrong.
        WrongPassword = "wrong-password",
        /// Neither the primary nor the store knows the name.
        UnknownUser = "unknown-user",
        /// The name has characters that no user name has, or is too long.
        NameInvalid = "name-invalid",
        /// The account is blocked.
        Blocked = "blocked",
        /// A rule denies it.
        DeniedByRule = "denied-by-rule",
        /// The account is `enforced` and has no factor that may be used here.
        NoUsableFactor = "no-usable-factor",
        /// The code was wrong.
        WrongCode = "wrong-code",
        /// The code was right but has been used.
        CodeAlreadyUsed = "code-already-used",
        /// The recovery code was right but has been used.
        RecoveryCodeAlreadyUsed = "recovery-code-already-used",
        /// The temporary code was right but has been used.
        TemporaryCodeAlreadyUsed = "temporary-code-already-used",
        /// The temporary code was right but its time is over.
        TemporaryCodeExpired = "temporary-code-expired",
        /// The client cannot ask a second question and the answer brought no code with it.
        CodeMissing = "code-missing",
        /// The app password was right but is not good at this service or client.
        AppPasswordOutOfScope = "app-password-out-of-scope",
        /// The app password was right but the service or account is privileged.
        AppPasswordPrivileged = "app-password-privileged",
        /// The proof was right but no rule allows its method here.
        MethodNotAllowed = "method-not-allowed",
        /// The answer was empty, overlong, made up by the application, or the password repeated.
        NotAnAnswer = "not-an-answer",
        /// The attempt used up its rounds.
        TooManyRounds = "too-many-rounds",
        /// Too many wrong answers from this source, or from all sources without a recent success; the answer was not looked at.
        Throttled = "throttled",
        /// Found: so many wrong second proofs from all sources that those without a recent success must wait.
        GuessedAt = "guessed-at",
        /// More refusals and questions of one name than are recorded singly: how many, and since when.
        CountedTogether = "counted-together",
        /// A program of one user tried another user's name.
        NotTheCaller = "not-the-caller",
        /// The dialogue took too long.
        SessionExpired = "session-expired",
        /// The State has brought its login already.
        SessionSpent = "session-spent",
        /// Nothing at all would have been proven.
        NothingProven = "nothing-proven",
        /// The backend of the first password did not answer.
        BackendUnavailable = "backend-unavailable",
        /// The store did not answer or could not write.
        StoreUnavailable = "store-unavailable",
        /// The store's file system is mounted read-only, or its files are.
        StoreReadOnly = "store-read-only",
        /// The store's disk is full, and what is kept for accepts is used up too.
        StoreFull = "store-full",
        /// The store's file is damaged.
        StoreDamaged = "store-damaged",
        /// Other writers, or the disk, did not finish in time.
        StoreSlow = "store-slow",
        /// The key file does not open what is stored, or is another store's.
        KeyUnavailable = "key-unavailable",
        /// The clock stands before the floor that the store keeps.
        ClockBehind = "clock-behind",
        /// The store turned out to be an older copy of itself, or to have lost the file that would show it: codes from before are refused, later blocks are lost.
        StoreWentBack = "store-went-back",
        /// The break-glass file could not be read or written: 'countersign break-glass status' says why.
        BreakGlassBroken = "break-glass-broken",
        /// Other logins changed the account each time this one was decided.
        TooManyRaces = "too-many-races",
        /// Too many messages wait to be sent, or nobody is there who would send them: no code was sent.
        OutboxFull = "outbox-full",
        /// A gateway has taken a code or notice; whether it arrived is not known.
        MessageSent = "message-sent",
        /// No gateway took a code or notice now; it is tried again.
        MessageNotSent = "message-not-sent",
        /// A code or notice was given up: it has expired, no gateway takes it, one may have sent it, or its number is not allowed.
        MessageGivenUp = "message-given-up",
        /// Found: so many records (`count`) could not be passed on to syslog, whose collector was away or too slow. Those with a place in a chain are in the store.
        SyslogBehind = "syslog-behind",
        /// The user went away before the dialogue ended.
        Abandoned = "abandoned",
        /// An administrator's act was carried out.
        ActDone = "act-done",
        /// An administrator's act was refused.
        ActRefused = "act-refused",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Reason;

    #[test]
    fn every_reason_has_a_name_and_a_meaning_of_its_own() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        let meanings: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.meaning()).collect();
        assert_eq!((names.len(), meanings.len()), (Reason::ALL.len(), Reason::ALL.len()));
    }

    #[test]
    fn the_name_in_a_record_is_the_name() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.name()));
        }
    }
}
