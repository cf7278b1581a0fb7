//! The return codes. docs/pam.md has them as a table, which the suite `pam` tests row by row.

use assembly::local::wire::Ground;
use pam::constants::PamResultCode;

use crate::dialogue::Ending;
use crate::hindrance::Hindrance;

/// What Linux-PAM hears of a verdict.
pub(crate) fn of_ending(ending: Ending) -> PamResultCode {
    match ending {
        Ending::Accept(
            Ground::BothProofs | Ground::AppPassword | Ground::SecondProof | Ground::PrimaryAlone,
        ) => PamResultCode::PAM_SUCCESS,
        // Nothing was proven to us: other modules decide, and without any libpam refuses.
        Ending::Accept(Ground::PolicyAlone) => PamResultCode::PAM_IGNORE,
        Ending::Reject => PamResultCode::PAM_AUTH_ERR,
        Ending::Unavailable => PamResultCode::PAM_AUTHINFO_UNAVAIL,
    }
}

/// What Linux-PAM hears when there is no verdict.
pub(crate) fn of_hindrance(hindrance: &Hindrance) -> PamResultCode {
    match hindrance {
        Hindrance::Arguments(_) => PamResultCode::PAM_SERVICE_ERR,
        Hindrance::Recursion
        | Hindrance::NameTaken
        | Hindrance::NoService { .. }
        | Hindrance::NothingBefore
        | Hindrance::NoPasswordBefore
        | Hindrance::AnothersPassword
        | Hindrance::AnotherUser
        | Hindrance::Settings(_)
        | Hindrance::Assembly(_) => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Hindrance::Conversation => PamResultCode::PAM_CONV_ERR,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_ending, of_hindrance};
    use crate::dialogue::Ending;
    use crate::hindrance::Hindrance;
    use assembly::local::Away;
    use pam::constants::PamResultCode;

    #[test]
    fn no_refusal_is_a_success_or_ignored() {
        assert_eq!(of_ending(Ending::Reject), PamResultCode::PAM_AUTH_ERR);
        assert_eq!(of_ending(Ending::Unavailable), PamResultCode::PAM_AUTHINFO_UNAVAIL);
        let no_service = Hindrance::NoService { caller: 1000, away: Away::Silent };
        for hindrance in [Hindrance::Recursion, no_service, Hindrance::Conversation] {
            let code = of_hindrance(&hindrance);
            assert!(code != PamResultCode::PAM_SUCCESS && code != PamResultCode::PAM_IGNORE);
        }
    }
}
