//! Random identifiers, never reused, written as lower-case hexadecimal.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::random::Random;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The number of octets.
            pub const LENGTH: usize = $bytes;

            /// A new one.
            pub fn generate(random: &dyn Random) -> Self {
                let mut bytes = [0; $bytes];
                random.fill(&mut bytes);
                Self(bytes)
            }

            /// From its octets.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Its octets.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Reads the hexadecimal form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
                Some(Self(bytes.try_into().ok()?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    };
}

random_id!(
    /// One account; a removed name that returns gets another.
    AccountId,
    16
);
random_id!(
    /// One attempt to log in, or one administrative act; it stands in every record of it.
    AttemptId,
    16
);
random_id!(
    /// One factor of an account.
    FactorId,
    8
);
random_id!(
    /// One app password.
    AppPasswordId,
    8
);
random_id!(
    /// One code that is good once: a recovery code, a temporary code, one that was sent.
    CodeId,
    8
);
random_id!(
    /// A number or address of a user.
    ContactId,
    8
);
random_id!(
    /// One remembered device.
    TicketId,
    8
);
random_id!(
    /// One message in the outbox.
    MessageId,
    16
);
