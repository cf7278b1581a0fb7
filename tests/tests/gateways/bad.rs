//! HTTP gateways that fail in the ways of the field.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// One that takes every message whole, and says so when nobody listens any more.
pub(crate) struct Late {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Late {
    pub(crate) fn start() -> Self {
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&taken);
        let port = serve(move |mut stream| {
            let Some(message) = whole(&mut stream) else { return };
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            // Until the other side has gone, however long it waits.
            while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
        });
        Self { port, taken }
    }

    pub(crate) fn gateway(&self) -> String {
        gateway("late", self.port)
    }

    /// What it was given.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A request with its body, by its Content-Length.
fn whole(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

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
        [gateway("liar", self.liar), gateway("hanging", self.hanging), gateway("dead", self.dead)].concat()
    }
}

fn gateway(name: &str, port: u16) -> String {
    format!(
        "[[delivery.gateway]]\nname = \"{name}\"\nchannels = [\"sms\"]\nkind = \"http\"\ntimeout-seconds = 1\n\
         url = \"http://127.0.0.1:{port}/send\"\nbody = \"to={{to}}&text={{text}}\"\nfailure-pattern = \"ERROR\"\n"
    )
}

fn serve(work: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let work = work.clone();
            thread::spawn(move || work(stream));
        }
    });
    port
}
