//! A PAM module that shows one authenticator secret to be scanned, as the real one draws it, and lets in whoever types a
//! code of it. Its line says `issuer=…`, and `name=…` for a name that no system user can have. For the suite
//! `registration` only.

#[path = "../src/ffi.rs"]
mod ffi;
#[path = "../src/guard.rs"]
mod guard;
#[path = "../src/picture.rs"]
mod picture;
#[expect(dead_code, reason = "it asks one question and nothing else")]
#[path = "../src/transaction.rs"]
mod transaction;
#[path = "../src/window.rs"]
mod window;

use std::ffi::CStr;
use std::time::{SystemTime, UNIX_EPOCH};

use assembly::local::wire::{Question, Words};
use common::login::Echo;
use common::session::Asked;
use common::totp::{self, TotpKey, TotpParameters};
use common::{Secret, UnixTime, otpauth};
use pam::constants::{PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

use transaction::Transaction;

/// 160 bits.
const SECRET: &[u8] = b"a secret of a picture";

/// Stands in for the real one, by the name that the entry points call.
struct Countersign;

impl PamHooks for Countersign {
    fn sm_authenticate(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guard::guarded(|| show(&mut Transaction::new(handle, flags), &arguments))
    }

    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

fn show(transaction: &mut Transaction<'_>, arguments: &[&CStr]) -> PamResultCode {
    let argument = |name: &str| {
        let mut values = arguments.iter().filter_map(|argument| argument.to_str().ok()?.strip_prefix(name));
        values.next_back().map(str::to_owned)
    };
    let issuer = argument("issuer=").unwrap_or_default();
    let own = transaction.user().map(|user| user.as_str().to_owned()).unwrap_or_default();
    let name = argument("name=").unwrap_or(own);
    let secret = Secret::new(SECRET.iter().copied().take(20).collect());
    let base32 = totp::to_base32(&secret);
    let text = format!("Key: {}\nCode that your app shows: ", base32.expose_text().unwrap_or_default());
    let question = Question {
        text: Secret::from(text),
        qr: otpauth::scannable(&issuer, &name, TotpParameters::default(), &secret),
        echo: Echo::Show,
        words: Words::Heard,
        asked: Asked::Proof,
    };
    let Ok(typed) = picture::ask(transaction, &question) else { return PamResultCode::PAM_CONV_ERR };
    let Ok(key) = TotpKey::new(TotpParameters::default(), &secret) else { return PamResultCode::PAM_ABORT };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match key.matching_step(typed.expose_text().unwrap_or_default(), UnixTime::from_seconds(now), 1) {
        Some(_) => PamResultCode::PAM_SUCCESS,
        None => PamResultCode::PAM_AUTH_ERR,
    }
}
