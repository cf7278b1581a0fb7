//! What is brought to be registered: a secret or an address, the user's word for it, and what proves it.

use crate::Secret;
use crate::address::Address;
use crate::limits;
use crate::totp::TotpParameters;

/// A user's word for a factor or app password: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// Reads a label; white space at the ends is dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let length = text.chars().count();
        let fits = (1..=limits::LABEL_CHARACTERS_MAX).contains(&length) && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A TOTP secret to be registered.
#[derive(Clone)]
pub struct NewTotp {
    /// The user's word for it.
    pub label: Label,
    /// Algorithm, digits, period.
    pub parameters: TotpParameters,
    /// The shared secret: at least 80 bits, and weak below 128.
    pub secret: Secret,
    /// A code that proves that the user has it.
    pub proof: EnrolmentProof,
}

/// Whether a new TOTP factor has been proven.
#[derive(Clone)]
pub enum EnrolmentProof {
    /// By this code, which is spent with the act.
    Code(Secret),
    /// An import: the user has used it elsewhere.
    Imported,
    /// It comes from another machine, which may have taken any of its codes until now: they count as spent.
    Moved {
        /// Steps by which its clock was ahead there.
        drift: i32,
    },
}

/// An HOTP secret to be registered.
#[derive(Clone)]
pub struct NewHotp {
    /// The user's word for it.
    pub label: Label,
    /// 6 to 8.
    pub digits: u8,
    /// The shared secret, as that of [`NewTotp`].
    pub secret: Secret,
    /// The first counter that may be good.
    pub counter: u64,
    /// What proves that the user has it.
    pub proof: HotpProof,
}

/// Whether a new HOTP factor has been proven. What proves it is spent with the act, and so is all before it.
#[derive(Clone)]
pub enum HotpProof {
    /// By the code of the counter, or of one of the next few.
    Code(Secret),
    /// By two codes in a row, looked for further on: nobody needs to know the counter.
    Codes(Secret, Secret),
    /// An import: the user has used it elsewhere.
    Imported,
}

/// A number or address to be registered by somebody who knows whose it is: no code is sent to prove it.
#[derive(Clone, Debug)]
pub struct NewSent {
    /// The user's word for it.
    pub label: Label,
    /// Where codes shall be sent.
    pub address: Address,
}
