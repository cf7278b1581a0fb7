//! Machines as people have them, planted into a folder: what is found there, on which line, and that nothing is found on
//! a sound one.
#![cfg(test)]

mod around;
mod planted;
mod properties;
mod sound;
mod sshd;
mod stacks;
