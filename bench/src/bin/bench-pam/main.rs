//! Many logins at a PAM service in one process, each from `pam_start` to `pam_end`.

mod libpam;

use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

use bench::{BenchError, Measured, PamJob, codes, run, wait_until};

fn main() -> Result<(), BenchError> {
    run(sign_in)
}

fn sign_in(job: &PamJob) -> Result<Measured, BenchError> {
    let named = |name: &str| CString::new(name).map_err(|_| BenchError::Name(name.to_owned()));
    let service = named(&job.service)?;
    let logins = job.logins.iter().zip(codes(&job.logins)?);
    let logins: Vec<_> = logins
        .map(|(login, code)| {
            let [first, later] = job.form.answers(login, &code);
            Ok((named(&login.user)?, [named(&first)?, named(&later)?]))
        })
        .collect::<Result<_, BenchError>>()?;
    wait_until(job.begin_at);
    let begun = Instant::now();
    let mut measured = Measured::default();
    for (user, [first, later]) in &logins {
        sign_in_once(&service, user, [first, later], &mut measured)?;
    }
    measured.seconds = begun.elapsed().as_secs_f64();
    Ok(measured)
}

fn sign_in_once(
    service: &CStr,
    user: &CStr,
    answers: [&CStr; 2],
    measured: &mut Measured,
) -> Result<(), BenchError> {
    let begun = Instant::now();
    let outcome = libpam::authenticate(service, user, answers).map_err(BenchError::PamStart)?;
    measured.micros.push(micros(begun.elapsed()));
    measured.question_micros.extend(outcome.until_second_question.map(micros));
    measured.accepted = measured.accepted.saturating_add(usize::from(outcome.is_accepted));
    Ok(())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
