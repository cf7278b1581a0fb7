//! sshd_config: read as sshd reads it, and asked which methods let somebody in.

pub mod config;
pub mod line;
pub mod methods;
pub mod second_opinion;
