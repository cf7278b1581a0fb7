//! `cargo xtask tidy`: what can be put right without thinking; `lint` finds the rest.

use std::process::ExitCode;

use crate::cargo;
use crate::problem::Problem;

pub(crate) fn run() -> Result<ExitCode, Problem> {
    if !cargo::succeeds(&["fmt", "--all"])? {
        return Ok(ExitCode::FAILURE);
    }
    println!("formatted; `cargo xtask lint` says what is left to do by hand");
    Ok(ExitCode::SUCCESS)
}
