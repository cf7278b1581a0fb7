//! Developer commands, one file each: `cargo xtask help` lists them.

mod bench;
mod cargo;
mod demo;
mod fuzz;
mod ground;
mod host;
mod install;
mod lint;
mod pictures;
mod policy;
mod problem;
mod soak;
mod suites;
mod test;
mod tidy;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use problem::Problem;

const USAGE: &str = "\
cargo xtask COMMAND

  demo [--keep]        one account signs in by ssh, RADIUS, sftp and sudo, in a throw-away copy of this machine;
                       with --keep the copy stays until Ctrl-C
  demo --enter [COMMAND...]
                       from another terminal: a root shell, or a command, in the copy that --keep has left running
  test [SUITE...]      unit tests, fuzz targets for some minutes, and each suite in a throw-away copy of this machine;
                       without names: all of them
  bench [--long] [--json] [PART...]
                       a login at each door beside the peer that administrators use today; --help tells the parts
  fuzz [TARGET] [--seconds N]
                       makes up inputs for one target of fuzz/, or for all, a minute each by default
  soak [MINUTES]       property tests, races and fuzz targets over and over, an hour by default
  pictures             draws the windows in docs/ anew, as the suite `registration` sees them
  lint                 formatting, clippy, dependency policy, file lengths
  tidy                 formats the code
  install [--destdir FOLDER] [--debug | --from FOLDER]
                       builds and places module, programs, unit and examples; touches no PAM stack and says what to do
  uninstall [--destdir FOLDER] [--purge [--yes]] [--force]
                       removes what install has placed; --purge also settings, master key and accounts, and asks before
  ground [COMMAND...]  runs a command, or a shell, in a throw-away copy of this machine
  help                 this page";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    run(&arguments).unwrap_or_else(|problem| {
        eprintln!("xtask: {problem:?}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[String]) -> Result<ExitCode, Problem> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Problem::Usage(format!("a command is missing\n\n{USAGE}")));
    };
    match (command.as_str(), rest) {
        ("demo", options) => demo::run(options),
        ("bench", options) => bench::run(options),
        ("test", suites) => test::run(suites),
        ("fuzz", options) => fuzz::run(options),
        ("soak", options) => soak::run(options),
        ("pictures", []) => pictures::run(),
        ("lint", []) => lint::run(),
        ("tidy", []) => tidy::run(),
        ("install", options) => install::install(options),
        ("uninstall", options) => install::uninstall(options),
        ("ground", program) => ground::run(program),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        // Started by ourselves: the steps that need root.
        (ground::AS_ROOT, program) => ground::as_root(program),
        (bench::AS_ROOT, [options]) => bench::as_root(options),
        (bench::IN_COPY, [options]) => bench::in_copy(options),
        (demo::AS_ROOT, [afterwards]) => demo::as_root(afterwards),
        (demo::IN_COPY, [afterwards]) => demo::in_copy(afterwards),
        (install::INSTALL_AS_ROOT, [destination, programs]) => {
            install::install_as_root(Path::new(destination), Path::new(programs))
        }
        (install::UNINSTALL_AS_ROOT, [destination, flags @ ..]) => {
            install::uninstall_as_root(Path::new(destination), flags)
        }
        (suites::AS_ROOT, [list]) => suites::as_root(list),
        (test_ground::ground::FIRST_PROCESS, blueprint) => Ok(test_ground::ground::first_process(blueprint)?),
        _ => Err(Problem::Usage(format!("`{}` is no command\n\n{USAGE}", arguments.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::USAGE;

    const SETTINGS_OF_CARGO: &str = include_str!("../../.cargo/config.toml");
    const README: &str = include_str!("../../README.md");

    #[test]
    fn whoever_starts_us_for_the_first_time_sees_that_we_are_being_built() {
        let alias = SETTINGS_OF_CARGO.lines().find(|line| line.starts_with("xtask = ")).unwrap_or_default();
        assert!(alias.contains("--package xtask") && !alias.contains("quiet"), "{alias}");
    }

    #[test]
    fn both_pages_say_how_to_look_into_a_demonstration() {
        for page in [USAGE, README] {
            for words in ["--keep", "--enter", "ground"] {
                assert!(page.contains(words), "{words}");
            }
        }
    }
}
