//! A person at a window of 80 columns and 24 lines, signing in over real ssh.

use test_ground::{Authenticator, Colours, Failure, Form, Machine, Outcome, Sshd, Terminal};

/// What the other side says to whoever gets in.
const IN: &str = "signed in";
/// Characters of a line.
pub(crate) const COLUMNS: usize = 80;

/// A sign-in at its window.
pub(crate) struct Window {
    terminal: Terminal,
}

/// What a thief types who has the password and nothing else.
pub(crate) const BLUFF: [&str; 4] = ["y", "000000", "111111", "222222"];
/// The questions in front of that.
pub(crate) type Questions = [&'static str; BLUFF.len()];

/// What somebody has who has registered an app.
pub(crate) struct Registered {
    pub(crate) app: Authenticator,
    pub(crate) recovery_codes: Vec<String>,
}

impl Window {
    /// `ssh` from this address; the password is typed.
    pub(crate) fn ssh(sshd: &Sshd, name: &str, from: &str, password: &str) -> Result<Self, Failure> {
        let mut command = sshd.client("ssh", &[&format!("BindAddress={from}")]);
        command.arg(format!("{name}@127.0.0.1")).arg(format!("echo {IN}"));
        let mut terminal = Terminal::start_at(Form::USUAL, &command)?;
        terminal.expect("Password: ")?.send(password)?;
        Ok(Self { terminal })
    }

    /// Waits until this stands there, and goes past it.
    pub(crate) fn sees(mut self, words: &str) -> Result<Self, Failure> {
        self.terminal.expect(words)?;
        Ok(self)
    }

    /// The same, and hands over what stood before it.
    pub(crate) fn reads_until(&mut self, words: &str) -> Result<String, Failure> {
        self.terminal.read_until(words)
    }

    pub(crate) fn types(mut self, line: &str) -> Result<Self, Failure> {
        self.terminal.send(line)?;
        Ok(self)
    }

    /// From the list of ways to the shell: an app scans the picture, and the recovery codes are written down.
    pub(crate) fn registers(self, machine: &Machine) -> Result<Registered, Failure> {
        let window = self.sees("Choose:")?.sees("1 authenticator app (QR code)")?.sees("Number")?;
        let window = window.types("1")?.sees("when you have one: ")?.types("ok")?;
        let window = window.sees("Code that the app shows now (b: back): ")?;
        let uri = window.terminal.screen().scanned(machine, Colours::LightOnDark)?;
        let mut app = Authenticator::of_uri(&uri)?;
        let window = window.types(&app.code()?)?.sees("Nothing is saved before Enter (or ok): ")?;
        let recovery_codes = recovery_codes(&window.terminal.screen().text());
        window.types("")?.gets_in()?;
        Ok(Registered { app, recovery_codes })
    }

    /// The session opened.
    pub(crate) fn gets_in(mut self) -> Outcome {
        let ended = self.terminal.end()?;
        self.is_readable();
        assert!(ended.code == 0 && ended.transcript.contains(IN), "{ended:?}");
        Ok(())
    }

    /// It did not.
    pub(crate) fn stays_out(mut self) -> Outcome {
        let ended = self.terminal.end()?;
        self.is_readable();
        assert!(ended.code == 255 && !ended.transcript.contains(IN), "{ended:?}");
        assert!(ended.transcript.contains("Permission denied"), "{ended:?}");
        Ok(())
    }

    /// Whoever has no more than the password: words and guesses until the door is shut, and no way to register. These
    /// questions are put one after the other.
    pub(crate) fn finds_no_way(self, questions: Questions) -> Outcome {
        let mut window = self;
        for (question, answer) in questions.into_iter().zip(BLUFF) {
            window = window.sees(question)?.types(answer)?;
        }
        let shown = window.terminal.transcript();
        assert!(!shown.contains("Choose:"), "{shown}");
        window.stays_out()
    }

    /// Closes the window.
    pub(crate) fn closes(self) -> Outcome {
        self.is_readable();
        self.terminal.vanish()
    }

    /// No line is broken by the edge of the window. What ssh puts before a question counts.
    fn is_readable(&self) {
        let transcript = self.terminal.transcript();
        println!("{transcript}\n--------");
        let long = transcript.lines().find(|line| line.trim_end().chars().count() > COLUMNS);
        assert_eq!(long, None, "of {transcript}");
    }
}

/// All ten, as they stand there.
pub(crate) fn recovery_codes(shown: &str) -> Vec<String> {
    let is_code = |word: &&str| word.len() == 14 && word.split('-').count() == 3;
    let codes: Vec<String> = shown.split_whitespace().filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{shown}");
    codes
}
