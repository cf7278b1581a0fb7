//! Builds the program that the fuzzer drives, with coverage.

use std::env;
use std::env::consts::ARCH;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::problem::Problem;

/// LLVM's coverage as libFuzzer reads it: a counter for each edge, where each is, and both sides of comparisons.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Beyond the profile `dev`, which what runs on this side of the compiler shares with all other builds. An overflow
/// stays a crash. No target asks the database anything, so it is compiled in no time.
const PROFILE: [&str; 3] = [
    "profile.dev.opt-level=1",
    "profile.dev.incremental=false",
    "profile.dev.package.libsqlite3-sys.opt-level=0",
];

/// Builds it and says where it is.
pub(super) fn build() -> Result<PathBuf, Problem> {
    require_a_compiler()?;
    // With a target named, the flags are for the program alone and not for what builds it.
    let target = format!("{ARCH}-unknown-linux-gnu");
    let mut arguments =
        vec!["build", "--package", "fuzz", "--bin", "fuzz", "--features", "libfuzzer", "--target", &target];
    arguments.extend(PROFILE.iter().flat_map(|line| ["--config", line]));
    arguments.push("--message-format=json-render-diagnostics");
    let mut command = cargo::cargo(&arguments);
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", COVERAGE.join(" "));
    let executables = cargo::executables(command, "cargo build --package fuzz")?;
    let found = executables.into_iter().find(|(name, _)| name == "fuzz");
    found.map(|(_, path)| path).ok_or_else(|| Problem::Failed("the build of the fuzzer".to_owned()))
}

fn require_a_compiler() -> Result<(), Problem> {
    let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let mut version = Command::new(&compiler);
    version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match version.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(Problem::Usage(format!(
            "libFuzzer is written in C++ and there is no `{}`: install g++",
            compiler.to_string_lossy()
        ))),
    }
}
