//! The frames between the PAM module and countersign-local: whoever may connect may send anything, and what is understood
//! keeps every limit and is written as it was read.

use assembly::local::wire::{
    FRAME_OCTETS_MAX, LENGTH_OCTETS, SERVICE_OCTETS_MAX, USER_OCTETS_MAX, frame_length,
};
use assembly::local::{Reply, Request, Round};
use common::session::SEALED_OCTETS;
use common::{Answer, limits};

pub(crate) fn run(octets: &[u8]) {
    let length = octets.first_chunk::<LENGTH_OCTETS>().and_then(|length| frame_length(*length).ok());
    assert!(length.is_none_or(|length| (1..=FRAME_OCTETS_MAX).contains(&length)));
    if let Ok(request) = Request::decode(octets) {
        keeps_the_limits(&request);
        let again = request.encode().unwrap();
        let twice = Request::decode(&again[LENGTH_OCTETS..]).ok().unwrap();
        assert_eq!((request.errand, said(&request.round)), (twice.errand, said(&twice.round)));
    }
    if let Ok(reply) = Reply::decode(octets) {
        let again = reply.encode().unwrap();
        assert_eq!(Reply::decode(&again[LENGTH_OCTETS..]).ok(), Some(reply));
    }
}

fn keeps_the_limits(request: &Request) {
    assert!(
        request.errand.service.len() <= SERVICE_OCTETS_MAX && request.errand.user.len() <= USER_OCTETS_MAX
    );
    let (session, answer) = said(&request.round);
    assert!(session.is_none_or(|session| session.len() == SEALED_OCTETS));
    assert!(answer.flatten().is_none_or(|text| (1..=limits::ANSWER_OCTETS_MAX).contains(&text.len())));
}

/// The session and the answer of a round; one that is void has no text.
fn said(round: &Round) -> (Option<&[u8]>, Option<Option<&[u8]>>) {
    match round {
        Round::Begin(first) => (None, first.as_ref().map(text)),
        Round::Answer(session, answer) => (Some(session), Some(text(answer))),
        Round::Abandon(session) => (Some(session), None),
    }
}

fn text(answer: &Answer) -> Option<&[u8]> {
    match answer {
        Answer::Text(text) => Some(text.expose()),
        Answer::Void => None,
    }
}
