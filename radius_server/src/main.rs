//! countersign-radiusd: the RADIUS door.

use std::process::ExitCode;

use radius_server::{PROGRAM, service};

fn main() -> ExitCode {
    PROGRAM.main(service::serve, |settings| {
        format!("{} is sound; clients: {}\n", settings.path.display(), settings.clients.len())
    })
}
