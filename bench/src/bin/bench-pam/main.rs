//! Many logins at a PAM service in one process, each from `pam_start` to `pam_end`.

mod libpam;

use std::ffi::CString;
use std::time::Instant;

use bench::{BenchError, Measured, PamJob, codes, run};

fn main() -> Result<(), BenchError> {
    run(sign_in)
}

fn sign_in(job: &PamJob) -> Result<Measured, BenchError> {
    let named = |name: &str| CString::new(name).map_err(|_| BenchError::Name(name.to_owned()));
    let service = named(&job.service)?;
    let logins = job.logins.iter().zip(codes(&job.logins)?);
    let logins: Vec<_> = logins
        .map(|(login, code)| Ok((named(&login.user)?, named(&code)?)))
        .collect::<Result<_, BenchError>>()?;
    let mut measured = Measured::default();
    let begun = Instant::now();
    for (user, code) in &logins {
        let login_begun = Instant::now();
        let is_accepted = libpam::authenticate(&service, user, code).map_err(BenchError::PamStart)?;
        measured.micros.push(login_begun.elapsed().as_secs_f64() * 1e6);
        measured.accepted = measured.accepted.saturating_add(usize::from(is_accepted));
    }
    measured.seconds = begun.elapsed().as_secs_f64();
    Ok(measured)
}
