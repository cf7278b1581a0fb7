//! PAM stacks: read as libpam reads them, gone through as libpam does, and asked who gets in with what.

pub mod code;
pub mod control;
pub mod dispatch;
pub mod line;
pub mod modules;
pub mod printed;
pub mod proof;
pub mod stack;
pub mod ways;
