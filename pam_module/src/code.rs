//! The return codes. docs/pam.md has them as a table, which the suite `pam` tests row by row.

use common::{Grounds, Verdict};
use pam::constants::PamResultCode;

use crate::hindrance::Hindrance;

/// What Linux-PAM hears of a verdict.
pub(crate) fn of_verdict(verdict: &Verdict) -> PamResultCode {
    match verdict {
        Verdict::Accept(accept) => match accept.grounds() {
            Grounds::BothProofs | Grounds::AppPassword | Grounds::SecondProof | Grounds::PrimaryAlone => {
                PamResultCode::PAM_SUCCESS
            }
            // Nothing was proven to us: other modules decide, and without any libpam refuses.
            Grounds::PolicyAlone => PamResultCode::PAM_IGNORE,
        },
        Verdict::Reject(_) => PamResultCode::PAM_AUTH_ERR,
        Verdict::Unavailable(_) => PamResultCode::PAM_AUTHINFO_UNAVAIL,
    }
}

/// What Linux-PAM hears when there is no verdict.
pub(crate) fn of_hindrance(hindrance: &Hindrance) -> PamResultCode {
    match hindrance {
        Hindrance::Arguments(_) => PamResultCode::PAM_SERVICE_ERR,
        Hindrance::Recursion
        | Hindrance::NotRoot(_)
        | Hindrance::NothingBefore
        | Hindrance::NoPasswordBefore
        | Hindrance::AnotherUser
        | Hindrance::Settings(_)
        | Hindrance::Assembly(_) => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Hindrance::Conversation => PamResultCode::PAM_CONV_ERR,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_hindrance, of_verdict};
    use crate::hindrance::Hindrance;
    use common::{Reason, Verdict};
    use pam::constants::PamResultCode;

    #[test]
    fn no_refusal_is_a_success_or_ignored() {
        for reason in Reason::ALL {
            assert_eq!(of_verdict(&Verdict::Reject(*reason)), PamResultCode::PAM_AUTH_ERR);
            assert_eq!(of_verdict(&Verdict::Unavailable(*reason)), PamResultCode::PAM_AUTHINFO_UNAVAIL);
        }
        for hindrance in [Hindrance::Recursion, Hindrance::NotRoot(1000.into()), Hindrance::Conversation] {
            let code = of_hindrance(&hindrance);
            assert!(code != PamResultCode::PAM_SUCCESS && code != PamResultCode::PAM_IGNORE);
        }
    }
}
