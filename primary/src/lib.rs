//! Backends that check the first password.
