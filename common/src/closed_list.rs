//! Lists that must be complete: an enum whose variants have a name for records and counters, and a meaning for the
//! documentation. Tests compare them with the pages that show them.

/// Makes such an enum. The doc comment of a variant is its meaning; derives beyond the usual ones stand before the name.
#[macro_export]
macro_rules! closed_list {
    ($(#[$about:meta])* $list:ident { $(#[doc = $meaning:literal] $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $list {
            $(#[doc = $meaning] $variant,)+
        }

        impl $list {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in records, counters and log lines.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means, as the documentation says it.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning.trim_start()),+ }
            }

            /// Its place in [`Self::ALL`], for tables of counters.
            #[must_use]
            pub fn place(self) -> usize {
                Self::ALL.iter().position(|entry| *entry == self).unwrap_or_default()
            }
        }
    };
}
