//! countersign-local: the engine behind a Unix socket, for PAM callers.

use std::process::ExitCode;

use local_service::{PROGRAM, service};

fn main() -> ExitCode {
    PROGRAM.main(service::serve, |settings| format!("{} is sound\n", settings.path.display()))
}
