//! The application side of Linux-PAM (pam(3)): one conversation that gives the password to the first prompt without
//! echo and refuses every other question. All calls of libpam are in this file.
#![expect(unsafe_code, reason = "libpam is a C library; no kept crate speaks its application side")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};

use common::Secret;

/// What a call returned (`_pam_types.h` of Linux-PAM; other PAMs number differently).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(pub(super) c_int);

impl Status {
    pub(super) const SUCCESS: Self = Self(0);
    pub(super) const SYSTEM_ERR: Self = Self(4);
    const BUF_ERR: Self = Self(5);
    pub(super) const PERM_DENIED: Self = Self(6);
    pub(super) const AUTH_ERR: Self = Self(7);
    #[cfg(test)]
    pub(super) const AUTHINFO_UNAVAIL: Self = Self(9);
    pub(super) const USER_UNKNOWN: Self = Self(10);
    pub(super) const MAXTRIES: Self = Self(11);
    pub(super) const NEW_AUTHTOK_REQD: Self = Self(12);
    pub(super) const ACCT_EXPIRED: Self = Self(13);
    pub(super) const CRED_EXPIRED: Self = Self(16);
    const CONV_ERR: Self = Self(19);
    pub(super) const AUTHTOK_EXPIRED: Self = Self(27);
    #[cfg(test)]
    pub(super) const MODULE_UNKNOWN: Self = Self(28);
}

const DISALLOW_NULL_AUTHTOK: c_int = 1;
const SILENT: c_int = 0x8000;
const ITEM_USER: c_int = 2;
const ITEM_FAIL_DELAY: c_int = 10;
const PROMPT_ECHO_OFF: c_int = 1;
const ERROR_MSG: c_int = 3;
const TEXT_INFO: c_int = 4;
/// `PAM_MAX_NUM_MSG`.
const MESSAGES_MAX: c_int = 32;
/// Tells our own module in the stack that it must not ask itself.
const MARK: &CStr = c"COUNTERSIGN_PRIMARY=1";

#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    unused: c_int,
}

type Converse = unsafe extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct ConversationFunction {
    converse: Converse,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const ConversationFunction,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_putenv(handle: *mut Handle, name_value: *const c_char) -> c_int;
    fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_item(handle: *const Handle, item: c_int, value: *mut *const c_void) -> c_int;
}

/// What the conversation may say, and whether it has said it.
struct Answer {
    password: Secret,
    is_given: bool,
}

/// A PAM transaction; it ends when this goes.
pub(super) struct Conversation {
    handle: NonNull<Handle>,
    /// libpam keeps a pointer to it until `pam_end`.
    answer: NonNull<Answer>,
    last: Status,
}

impl Conversation {
    /// Begins, marks the transaction as ours and forbids the stack to sleep after a wrong password.
    pub(super) fn start(service: &CStr, user: &CStr, password: &Secret) -> Result<Self, Status> {
        let answer =
            NonNull::from(Box::leak(Box::new(Answer { password: password.clone(), is_given: false })));
        let function = ConversationFunction { converse, data: answer.as_ptr().cast() };
        let mut handle = null_mut();
        // SAFETY: pam_start(3) copies the strings and the structure; `answer` lives until `pam_end` (see Drop).
        let status = Status(unsafe {
            pam_start(service.as_ptr(), user.as_ptr(), &raw const function, &raw mut handle)
        });
        let Some(handle) = NonNull::new(handle).filter(|_| status == Status::SUCCESS) else {
            // SAFETY: the box was leaked above, and libpam has kept no transaction that points to it.
            drop(unsafe { Box::from_raw(answer.as_ptr()) });
            return Err(if status == Status::SUCCESS { Status::SYSTEM_ERR } else { status });
        };
        let mut begun = Self { handle, answer, last: status };
        begun.mark()?;
        Ok(begun)
    }

    #[expect(clippy::as_conversions, reason = "a function pointer becomes a data pointer in no other way")]
    fn mark(&mut self) -> Result<(), Status> {
        let no_delay: unsafe extern "C" fn(c_int, u32, *mut c_void) = no_delay;
        // SAFETY: the handle is live; pam_putenv(3) copies the string. PAM_FAIL_DELAY takes a function pointer of this
        // type as its value (pam_fail_delay(3)).
        let statuses = unsafe {
            [
                pam_putenv(self.handle.as_ptr(), MARK.as_ptr()),
                pam_set_item(self.handle.as_ptr(), ITEM_FAIL_DELAY, no_delay as *const c_void),
            ]
        };
        match statuses.into_iter().map(Status).find(|status| *status != Status::SUCCESS) {
            Some(status) => Err(status),
            None => Ok(()),
        }
    }

    pub(super) fn authenticate(&mut self) -> Status {
        // SAFETY: the handle is live until Drop (pam_authenticate(3)).
        self.last = Status(unsafe { pam_authenticate(self.handle.as_ptr(), SILENT | DISALLOW_NULL_AUTHTOK) });
        self.last
    }

    pub(super) fn account(&mut self) -> Status {
        // SAFETY: the handle is live until Drop (pam_acct_mgmt(3)).
        self.last = Status(unsafe { pam_acct_mgmt(self.handle.as_ptr(), SILENT | DISALLOW_NULL_AUTHTOK) });
        self.last
    }

    /// Who the stack thinks it has authenticated; modules may change that.
    pub(super) fn user(&self) -> Option<CString> {
        let mut user: *const c_void = null();
        // SAFETY: the handle is live; PAM_USER is a NUL-terminated string of libpam's (pam_get_item(3)).
        let status = Status(unsafe { pam_get_item(self.handle.as_ptr(), ITEM_USER, &raw mut user) });
        let is_there = status == Status::SUCCESS && !user.is_null();
        // SAFETY: as above; it is copied before anything else is called.
        is_there.then(|| unsafe { CStr::from_ptr(user.cast()) }.to_owned())
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // SAFETY: the handle came from pam_start and is ended once (pam_end(3)); the answer was leaked in `start`, and
        // after pam_end nobody points to it.
        unsafe {
            pam_end(self.handle.as_ptr(), self.last.0);
            drop(Box::from_raw(self.answer.as_ptr()));
        }
    }
}

/// The stack may ask for a pause after a wrong password (pam_fail_delay(3)): waits are the business of our own lanes.
unsafe extern "C" fn no_delay(_status: c_int, _microseconds: u32, _data: *mut c_void) {}

/// The conversation function (pam_conv(3)). Nothing unwinds into C.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let answered = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: libpam calls with what pam_conv(3) promises and with the `data` of `start`.
        unsafe { respond(count, messages, responses, data.cast()) }
    }));
    answered.unwrap_or(Status::CONV_ERR).0
}

/// # Safety
/// `messages` points to `count` pointers to messages, as Linux-PAM lays them out; `responses` may be written; `answer`
/// is the one of a live [`Conversation`].
unsafe fn respond(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    answer: *mut Answer,
) -> Status {
    let Some(length) = usize::try_from(count).ok().filter(|_| (1..=MESSAGES_MAX).contains(&count)) else {
        return Status::CONV_ERR;
    };
    // SAFETY: the caller's promise; nobody else uses the answer during a call of libpam.
    let (messages, answer) = unsafe { (std::slice::from_raw_parts(messages, length), &mut *answer) };
    // SAFETY: calloc of `length` zeroed responses, which libpam or we free.
    let made: *mut Response = unsafe { libc::calloc(length, size_of::<Response>()) }.cast();
    if made.is_null() {
        return Status::BUF_ERR;
    }
    // SAFETY: calloc gave room for `length` responses; all zero is a response without text.
    let slots = unsafe { std::slice::from_raw_parts_mut(made, length) };
    for (slot, message) in slots.iter_mut().zip(messages) {
        // SAFETY: the caller's promise.
        let status = answer.to(unsafe { (**message).style }, slot);
        if status != Status::SUCCESS {
            discard(slots);
            return status;
        }
    }
    // SAFETY: the caller's promise.
    unsafe { *responses = made };
    Status::SUCCESS
}

impl Answer {
    /// The password to the first prompt without echo; nothing to what is no question; no to every other one.
    fn to(&mut self, style: c_int, slot: &mut Response) -> Status {
        match style {
            PROMPT_ECHO_OFF if !self.is_given => {
                self.is_given = true;
                slot.text = copy_for_c(self.password.expose());
                if slot.text.is_null() { Status::BUF_ERR } else { Status::SUCCESS }
            }
            ERROR_MSG | TEXT_INFO => Status::SUCCESS,
            _ => Status::CONV_ERR,
        }
    }
}

/// A NUL-terminated copy that C frees, null where memory ran out.
fn copy_for_c(octets: &[u8]) -> *mut c_char {
    // SAFETY: calloc of one octet more than is copied: the NUL is there already.
    unsafe {
        let copy: *mut u8 = libc::calloc(octets.len().saturating_add(1), 1).cast();
        if !copy.is_null() {
            std::ptr::copy_nonoverlapping(octets.as_ptr(), copy, octets.len());
        }
        copy.cast()
    }
}

/// Wipes and frees responses that libpam will not get.
fn discard(responses: &mut [Response]) {
    for response in responses.iter_mut().filter(|response| !response.text.is_null()) {
        // SAFETY: the text is a NUL-terminated copy by `copy_for_c`, freed once.
        unsafe {
            libc::explicit_bzero(response.text.cast(), libc::strlen(response.text));
            libc::free(response.text.cast());
        }
    }
    // SAFETY: the slice is what `respond` got from calloc, freed once and not used after.
    unsafe { libc::free(responses.as_mut_ptr().cast()) };
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use common::Secret;

    use super::{Answer, Message, Response, Status, converse};

    /// Asks as a module would, and reads and frees what it gets.
    fn asked(styles: &[i32]) -> (Status, Vec<Option<String>>) {
        let mut answer = Answer { password: Secret::from("correct horse"), is_given: false };
        asked_of(&mut answer, styles)
    }

    fn asked_of(answer: &mut Answer, styles: &[i32]) -> (Status, Vec<Option<String>>) {
        let messages: Vec<_> = styles.iter().map(|style| Message { style: *style, text: null() }).collect();
        let pointers: Vec<_> = messages.iter().map(std::ptr::from_ref).collect();
        let mut responses: *mut Response = null_mut();
        let count = i32::try_from(styles.len()).unwrap();
        // SAFETY: as many messages as `count` says, an answer that is live, room for the responses.
        let status = unsafe {
            converse(count, pointers.as_ptr(), &raw mut responses, std::ptr::from_mut(answer).cast())
        };
        let texts = if responses.is_null() { Vec::new() } else { taken(responses, styles.len()) };
        (Status(status), texts)
    }

    fn taken(responses: *mut Response, count: usize) -> Vec<Option<String>> {
        // SAFETY: `converse` promises `count` responses from calloc, each text NUL-terminated or null, ours to free.
        unsafe {
            let slots = std::slice::from_raw_parts(responses, count);
            let texts = slots.iter().map(|slot| {
                let text = (!slot.text.is_null())
                    .then(|| std::ffi::CStr::from_ptr(slot.text).to_str().unwrap().to_owned());
                libc::free(slot.text.cast());
                text
            });
            let texts = texts.collect();
            libc::free(responses.cast());
            texts
        }
    }

    const HIDDEN: i32 = 1;
    const SHOWN: i32 = 2;
    const ERROR: i32 = 3;
    const INFO: i32 = 4;

    #[test]
    fn the_first_hidden_prompt_gets_the_password() {
        let password = Some("correct horse".to_owned());
        assert_eq!(asked(&[HIDDEN]), (Status::SUCCESS, vec![password.clone()]));
        assert_eq!(asked(&[INFO, ERROR, HIDDEN]), (Status::SUCCESS, vec![None, None, password]));
    }

    #[test]
    fn no_other_question_is_answered() {
        for styles in [&[SHOWN][..], &[HIDDEN, HIDDEN], &[HIDDEN, SHOWN], &[7], &[], &[INFO; 33]] {
            assert_eq!(asked(styles), (Status::CONV_ERR, Vec::new()), "{styles:?}");
        }
    }

    #[test]
    fn the_password_is_given_once_in_a_transaction() {
        let mut answer = Answer { password: Secret::from("correct horse"), is_given: false };
        assert_eq!(asked_of(&mut answer, &[HIDDEN]).0, Status::SUCCESS);
        assert_eq!(asked_of(&mut answer, &[HIDDEN]), (Status::CONV_ERR, Vec::new()));
    }
}
