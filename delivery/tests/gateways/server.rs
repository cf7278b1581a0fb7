//! A server that answers as a test says, over TCP or TLS, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Sends this.
    Answers(String),
    /// Sends this, and after it without an end.
    Floods(String),
    /// Sends this, but late.
    AnswersAfter(Duration, String),
    /// Nothing.
    Hangs,
    /// Closes the connection.
    HangsUp,
}

/// An answer with a body.
pub(crate) fn answer(status: u16, body: &str) -> Does {
    Does::Answers(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// A running server. Its thread ends with the process.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(does: Does) -> Self {
        Self::start(does, None)
    }

    /// With TLS; gives the authority's certificate too.
    pub(crate) fn with_tls(does: Does, name: &str) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config =
            config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        (Self::start(does, Some(Arc::new(config))), made.cert.pem())
    }

    fn start(does: Does, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (does, heard, tls) = (does.clone(), Arc::clone(&heard), tls.clone());
                thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &does, &heard);
                    }
                    None => serve(stream, &does, &heard),
                });
            }
        });
        Self { port, requests }
    }

    /// What it was asked, each request whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: impl Read + Write, does: &Does, heard: &Mutex<Vec<String>>) {
    let Some(request) = request(&mut stream) else { return };
    heard.lock().unwrap().push(request);
    match does {
        Does::Answers(text) => drop(stream.write_all(text.as_bytes())),
        Does::AnswersAfter(pause, text) => {
            thread::sleep(*pause);
            let _ = stream.write_all(text.as_bytes());
        }
        Does::Floods(text) => {
            let _ = stream.write_all(text.as_bytes());
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
        Does::Hangs => thread::sleep(Duration::from_secs(60)),
        Does::HangsUp => {}
    }
}

/// Head and body, by its Content-Length.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut octets = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
            });
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut some).ok()? {
            0 => return None,
            count => octets.extend_from_slice(&some[..count]),
        }
    }
}

/// Something of TCP that takes no connection.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether nobody is connected any more, for tests of time limits.
pub(crate) fn connects(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
