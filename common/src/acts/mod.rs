//! Administrators acts.
