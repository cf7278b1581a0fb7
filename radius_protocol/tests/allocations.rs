//! The way from a datagram to its reply does not touch the heap: no allocation per packet, none per attribute.

use allocation_counter::measure;
use radius_protocol::dictionary::{CALLING_STATION_ID, PROXY_STATE, USER_NAME};
use radius_protocol::{
    Code, MessageAuthenticator, MessageAuthenticatorDemand, Packet, Prompt, ReplyBuilder, ReplyVerdict,
    RequestBuilder, SharedSecret,
};

#[test]
fn a_login_is_asked_read_challenged_and_verified_without_an_allocation() {
    let secret = SharedSecret::new(b"a secret of some length").unwrap();
    let (mut request_buffer, mut reply_buffer) = ([0; 4096], [0; 4096]);
    let spent = measure(|| {
        let mut request = RequestBuilder::access_request(&mut request_buffer, &secret, 1, [7; 16]);
        request.user_name("alice").unwrap().user_password(b"password").unwrap();
        request.attribute(CALLING_STATION_ID, b"00-11-22-33-44-55").unwrap();
        request.attribute(PROXY_STATE, b"17").unwrap();

        let request = Packet::parse(request.finish()).unwrap();
        assert_eq!(request.message_authenticator(&secret), MessageAuthenticator::Valid);
        assert_eq!(request.first(USER_NAME).unwrap().text(), Some("alice"));
        assert_eq!(request.user_password(&secret).unwrap().unwrap().expose(), b"password");

        let mut reply = ReplyBuilder::new(&mut reply_buffer, &secret, &request, Code::AccessChallenge);
        reply.reply_message("Enter the code").unwrap().state(&[1; 253]).unwrap();
        reply.prompt(Prompt::NoEcho).unwrap().session_timeout(60).unwrap();
        let reply = Packet::parse(reply.finish().unwrap()).unwrap();
        let demand = MessageAuthenticatorDemand::Required;
        assert_eq!(reply.verify_reply(&request, &secret, demand), ReplyVerdict::Genuine);
    });
    assert_eq!(spent.count_total, 0);
}

#[test]
fn the_measure_sees_an_allocation() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total, 1);
}
