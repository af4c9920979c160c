//! A server on the loopback that plays its answers in order, down to a cut in the middle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How one request is answered.
#[derive(Debug)]
pub(super) enum Play {
    /// Properly.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// With these bytes and then the end.
    Raw(&'static str),
    /// With the end at once.
    Nothing,
    /// Not at all, longer than anybody waits.
    Silence,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// The server; it ends with its last answer.
pub(super) struct Server {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn playing(plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for play in plays {
                let Ok((stream, _)) = listener.accept() else { return };
                log.lock().unwrap().push(read(&stream));
                std::thread::spawn(move || answer(stream, play));
            }
        });
        Self { url, asked }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let pairs = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, String)> =
        pairs.map(|(key, value)| (key.to_lowercase(), value.to_owned())).collect();
    let length = headers.iter().find(|(key, _)| key == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Asked { line: lines[0].clone(), headers, body: String::from_utf8(body).unwrap() }
}

fn answer(mut stream: TcpStream, play: Play) {
    let text = match play {
        Play::Answer(status, headers, body) => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
            )
        }
        Play::Raw(text) => text.to_owned(),
        Play::Nothing => String::new(),
        Play::Silence => {
            std::thread::sleep(Duration::from_secs(3));
            String::new()
        }
    };
    // The client may be gone already.
    stream.write_all(text.as_bytes()).unwrap_or_default();
}
