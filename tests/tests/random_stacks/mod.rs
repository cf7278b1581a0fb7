//! Stacks made up at random, of lines whose module returns what it is told to (pam_debug(8)): libpam itself and the doctor
//! must come to the same end.

use std::path::Path;

use doctor::Tree;
use doctor::pam::code::Code;
use doctor::pam::dispatch::run;
use doctor::pam::stack::{Service, Step};
use test_ground::Outcome;

use crate::patient::Patient;
use crate::transaction::{at, unattended};

/// How many stacks.
const STACKS: u64 = 1_000;
/// Values that pam_debug.so can be told to return.
const VALUES: [Code; 8] = [
    Code::SUCCESS,
    Code::AUTH_ERR,
    Code::PERM_DENIED,
    Code::USER_UNKNOWN,
    Code::IGNORE,
    Code::AUTHINFO_UNAVAIL,
    Code::CRED_ERR,
    Code::MAXTRIES,
];
const WORDS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];
const ACTIONS: [&str; 9] = ["ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3"];

/// Numbers that look like chance and are the same each time (Knuth's multiplier).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits").checked_rem(end).expect("a choice")
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// What a line returns: often a yes, or hardly a stack would end in one.
    fn value(&mut self) -> &'static str {
        if self.below(2) == 0 { Code::SUCCESS.name() } else { self.one_of(&VALUES).name() }
    }

    fn control(&mut self) -> String {
        if self.below(2) == 0 {
            return self.one_of(&WORDS).to_owned();
        }
        let mut pairs: Vec<String> = (0..self.below(4))
            .map(|_| format!("{}={}", self.one_of(&VALUES).name(), self.one_of(&ACTIONS)))
            .collect();
        if self.below(4) > 0 {
            pairs.push(format!("default={}", self.one_of(&ACTIONS)));
        }
        format!("[{}]", pairs.join(" "))
    }

    /// Lines of a file; in the outer one, some are other files.
    fn lines(&mut self, depth: usize, files: &mut Vec<Vec<String>>) -> Vec<String> {
        let count = self.below(5).max(1);
        (0..count)
            .map(|_| match self.below(8) {
                number @ (0 | 1) if depth < 3 => {
                    let inner = self.lines(depth.saturating_add(1), files);
                    files.push(inner);
                    let file = format!("doctor-part-{}", files.len());
                    if number == 0 { format!("auth include {file}") } else { format!("auth substack {file}") }
                }
                2 => format!("auth {} pam_that_is_nowhere.so", self.control()),
                3 if self.below(4) == 0 => "auth substack doctor-part-nowhere".to_owned(),
                _ => format!("auth {} pam_debug.so auth={}", self.control(), self.value()),
            })
            .collect()
    }
}

/// What a line of these stacks returns.
fn returned(step: &Step) -> Code {
    let argument = step.arguments().iter().find_map(|argument| argument.strip_prefix("auth="));
    let told = VALUES.into_iter().find(|code| argument == Some(code.name()));
    told.unwrap_or(Code::MODULE_UNKNOWN)
}

#[test]
fn libpam_and_the_doctor_come_to_the_same_end() -> Outcome {
    // Nobody else may change the folder meanwhile.
    let Patient { machine, .. } = &Patient::sound()?;
    let tree = Tree::new(Path::new("/"));
    let mut yes = 0_u32;
    for seed in 0..STACKS {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut files = Vec::new();
        let lines = chance.lines(0, &mut files);
        for (number, lines) in (1..).zip(&files) {
            machine
                .write(Path::new(&format!("/etc/pam.d/doctor-part-{number}")), &(lines.join("\n") + "\n"))?;
        }
        machine.write(Path::new("/etc/pam.d/doctor-random"), &(lines.join("\n") + "\n"))?;
        let service = Service::load(&tree, "doctor-random").expect("a service");
        let ours = run(&service.auth, returned);
        let theirs = unattended(at("doctor-random", "root").command("authenticate"));
        let theirs = theirs.unwrap_or_else(|failure| panic!("{lines:#?} {files:#?}: {failure:?}"));
        assert_eq!(format!("PAM_{}", ours.name().to_uppercase()), theirs, "{lines:#?} {files:#?}");
        yes = yes.saturating_add(u32::from(ours == Code::SUCCESS));
    }
    // Both ends were met often enough to mean something.
    assert!(yes > 100, "{yes} of {STACKS} let in");
    Ok(())
}
