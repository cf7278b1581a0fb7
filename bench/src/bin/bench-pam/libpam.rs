//! The application side of Linux-PAM, as much as a measurement needs (pam(3)). The only other unsafe code of the bench
//! is in the library that counts durable writes.
#![expect(unsafe_code, reason = "libpam is a C library; no kept crate speaks its application side")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

/// `_pam_types.h` of Linux-PAM.
const SUCCESS: c_int = 0;
const BUF_ERR: c_int = 5;
const CONV_ERR: c_int = 19;
const PROMPT_ECHO_OFF: c_int = 1;
const PROMPT_ECHO_ON: c_int = 2;
/// `PAM_MAX_NUM_MSG`.
const MESSAGES_MAX: c_int = 32;

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

#[repr(C)]
struct Conversation {
    converse: unsafe extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int,
    data: *mut c_void,
}

// Named in full: `-lpam` would want the link of Debian's libpam0g-dev.
#[link(name = "libpam.so.0", kind = "dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
}

/// What came of a transaction.
pub(crate) struct Outcome {
    /// The user was let in.
    pub(crate) is_accepted: bool,
    /// From the first answer to the second question, where there was one.
    pub(crate) until_second_question: Option<Duration>,
}

/// What the conversation function knows and learns.
struct Dialogue<'a> {
    first: &'a CStr,
    later: &'a CStr,
    first_answered: Option<Instant>,
    until_second_question: Option<Duration>,
}

/// One transaction; the second answer is that to every later question too. The error is that of `pam_start`.
pub(crate) fn authenticate(service: &CStr, user: &CStr, answers: [&CStr; 2]) -> Result<Outcome, i32> {
    let [first, later] = answers;
    let mut dialogue = Dialogue { first, later, first_answered: None, until_second_question: None };
    let conversation = Conversation { converse, data: (&raw mut dialogue).cast() };
    let mut handle = null_mut();
    // SAFETY: pam_start(3) copies the strings and the structure; `dialogue` outlives the transaction, and nobody else
    // touches it meanwhile.
    let begun =
        unsafe { pam_start(service.as_ptr(), user.as_ptr(), &raw const conversation, &raw mut handle) };
    if begun != SUCCESS {
        return Err(begun);
    }
    // SAFETY: the handle came from pam_start, is live until pam_end, and pam_end is called once.
    let status = unsafe {
        let status = pam_authenticate(handle, 0);
        pam_end(handle, status);
        status
    };
    Ok(Outcome { is_accepted: status == SUCCESS, until_second_question: dialogue.until_second_question })
}

impl Dialogue<'_> {
    fn answer(&mut self) -> &CStr {
        let Some(first_answered) = self.first_answered else {
            self.first_answered = Some(Instant::now());
            return self.first;
        };
        self.until_second_question.get_or_insert_with(|| first_answered.elapsed());
        self.later
    }
}

/// The conversation function (pam_conv(3)). It calls nothing that could panic.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let Some(length) = usize::try_from(count).ok().filter(|_| (1..=MESSAGES_MAX).contains(&count)) else {
        return CONV_ERR;
    };
    // SAFETY: libpam promises `count` messages in Linux-PAM's layout and room for one pointer; calloc gives room for as
    // many responses, which libpam frees; `data` is the dialogue of `authenticate`, which waits for libpam.
    unsafe {
        let dialogue: &mut Dialogue<'_> = &mut *data.cast();
        let made: *mut Response = libc::calloc(length, size_of::<Response>()).cast();
        if made.is_null() {
            return BUF_ERR;
        }
        let slots = std::slice::from_raw_parts_mut(made, length);
        for (slot, message) in slots.iter_mut().zip(std::slice::from_raw_parts(messages, length)) {
            if matches!((**message).style, PROMPT_ECHO_OFF | PROMPT_ECHO_ON) {
                slot.text = libc::strdup(dialogue.answer().as_ptr());
            }
        }
        *responses = made;
    }
    SUCCESS
}
