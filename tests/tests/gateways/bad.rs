//! HTTP gateways that fail in the ways of the field.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// One that says 200 and ERROR, one that never answers, and one that is not there.
pub(crate) struct Bad {
    liar: u16,
    hanging: u16,
    dead: u16,
}

impl Bad {
    pub(crate) fn start() -> Self {
        let liar = serve(|mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nERROR");
        });
        let hanging = serve(|stream| {
            thread::park();
            drop(stream);
        });
        let dead = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        Self { liar, hanging, dead }
    }

    pub(crate) fn gateways(&self) -> String {
        let one = |name: &str, port: u16| {
            format!(
                "[[delivery.gateway]]\nname = \"{name}\"\nchannels = [\"sms\"]\nkind = \"http\"\ntimeout-seconds = 1\n\
                 url = \"http://127.0.0.1:{port}/send\"\nbody = \"to={{to}}&text={{text}}\"\nfailure-pattern = \"ERROR\"\n"
            )
        };
        [one("liar", self.liar), one("hanging", self.hanging), one("dead", self.dead)].concat()
    }
}

fn serve(work: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || work(stream));
        }
    });
    port
}
