//! A vendor that says everything back: whatever it was sent is in its answer, in every place where
//! some vendor's error has room for it. What it answers is told while it runs.

use super::marks::Marks;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How the vendor answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// With a status, and everything in the body and the headers.
    Says(u16),
    /// With bytes that are no HTTP.
    Babbles,
    /// With half an answer.
    Breaks,
}

impl Mood {
    /// Every mood that a vendor's client must bear.
    pub(crate) const ALL: [Self; 11] = [
        Self::Says(200),
        Self::Says(207),
        Self::Says(400),
        Self::Says(401),
        Self::Says(402),
        Self::Says(409),
        Self::Says(422),
        Self::Says(302),
        Self::Says(500),
        Self::Babbles,
        Self::Breaks,
    ];
}

/// The server; it runs until it is dropped.
pub(crate) struct Echo {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    over: AtomicBool,
    marks: Marks,
}

impl Echo {
    pub(crate) fn start(marks: &Marks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Says(500)),
            over: AtomicBool::new(false),
            marks: marks.clone(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A caller that goes away in the middle concerns nobody else.
                std::thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// Its address, with a mark in the path: what calls it must not tell where it called.
    pub(crate) fn url(&self, marks: &Marks) -> String {
        format!("http://{}/{}", self.address, marks.mark)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let heard = read(&stream)?;
    let mood = *shared.mood.lock().unwrap_or_else(PoisonError::into_inner);
    let Marks { email, card, page, .. } = &shared.marks;
    match mood {
        Mood::Says(status) => {
            let body = error(&heard, &shared.marks).to_string();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} {card}\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\nlocation: {page}\r\nretry-after: {email}\r\n\
                 request-id: {email}\r\nx-request-id: {email}\r\nx-message-id: {email}\r\n\
                 x-hubspot-correlation-id: {email}\r\nx-slack-unique-id: {email}\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())
        }
        Mood::Babbles => stream.write_all(format!("{card} {email}\r\n\r\n{heard}").as_bytes()),
        Mood::Breaks => {
            let head = format!("HTTP/1.1 200 {card}\r\ncontent-length: 99999\r\n\r\n{email}");
            stream.write_all(head.as_bytes())
        }
    }
}

/// The whole request as text.
fn read(stream: &TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream);
    let (mut heard, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = given.trim().parse().unwrap_or(0);
        }
        heard.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    heard.push_str(&String::from_utf8_lossy(&body));
    Ok(heard)
}

/// An error in the shape of every vendor at once, full of what was heard.
fn error(heard: &str, marks: &Marks) -> Value {
    let Marks { email, name, card, .. } = marks;
    json!({
        "id": email, "status": "error", "message": card, "category": name, "correlationId": email,
        "detail": heard, "context": {"email": [email]}, "results": [], "data": {"id": email},
        "errors": [{"message": card, "field": email, "category": email, "in": heard}],
        "error": {"type": name, "code": email, "decline_code": name, "message": card, "param": "email",
            "payment_intent": {"id": email, "client_secret": format!("pi_1_secret_{}", marks.mark)}},
    })
}
