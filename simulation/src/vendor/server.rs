//! The server: it reads a request, waits at the gate, does what the plan says, and answers or not.

use super::{Answer, Heard, Vendors};
use crate::clock;
use crate::fault::Fault;
use crate::world::{self, SLOW, Touch, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Opens the port and serves it for as long as the thread's runtime runs; answers with the address.
#[expect(
    clippy::disallowed_methods,
    reason = "the vendors live beside the functions, on one thread"
)]
pub(crate) async fn open() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// The idempotency key.
    pub(super) key: String,
    pub(super) text: String,
    body: Value,
}

/// A request that is carried out when nobody waits for it any more.
#[derive(Clone)]
pub(super) struct Late {
    pub(super) at: i64,
    request: Request,
    /// The call as it was noted, where it is noted.
    heard: Option<usize>,
}

/// Carries out what was given up, once its time has come. Answers whether there was any.
pub(crate) fn land() -> bool {
    let now = clock::now();
    let due: Vec<Late> =
        world::with(|world| world.vendors.late.extract_if(.., |late| late.at <= now).collect());
    for late in &due {
        let landed = |applied, _| {
            world::with(|world| {
                let call = late.heard.and_then(|at| world.vendors.calls.get_mut(at));
                call.into_iter().for_each(|call| call.applied = applied);
            });
        };
        apply(&late.request, &landed);
        let what = format!("{} {}", late.request.method, late.request.path);
        world::with(|world| world.tell("a vendor, late", &what, None));
    }
    !due.is_empty()
}

async fn serve(mut stream: TcpStream) {
    let Some(request) = read(&mut stream).await else { return };
    let Some(answer) = exchange(&request).await else { return };
    let (status, body) = (answer.status, answer.body);
    // Slack answers with a word, everybody else in JSON.
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let head = format!(
        "HTTP/1.1 {status} Told\r\nconnection: close\r\nx-message-id: id-1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    while bytes.len() < start + length.unwrap_or(0) {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut words = head.split_whitespace();
    let (method, address) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        key: header("idempotency-key").unwrap_or_default().to_owned(),
        text: String::from_utf8_lossy(&bytes[start..]).into_owned(),
        body: serde_json::from_slice(&bytes[start..]).unwrap_or_default(),
    })
}

/// One call: `None` where the connection is cut.
async fn exchange(request: &Request) -> Option<Answer> {
    let vendor = request.path.split('/').nth(1).unwrap_or_default().to_owned();
    let touch = Touch { place: format!("vendor:{vendor}"), writes: request.method != "GET" };
    world::turn(touch.clone()).await;
    let fault = world::with(|world| {
        let invocation = format!("vendor call {}", world.vendors.new_id());
        world.strike(&invocation, &format!("{} {}", request.method, request.path), touch)
    });
    let note = |applied, turned_away| note(&vendor, request, applied, turned_away);
    match fault {
        None => Some(apply(request, &note)),
        Some(Fault::CrashBefore) => {
            note(false, false);
            world::with(World::crash);
            None
        }
        Some(Fault::CrashAfter) => {
            apply(request, &note);
            world::with(World::crash);
            None
        }
        Some(Fault::AnswerLost | Fault::LostForGood) => {
            apply(request, &note);
            None
        }
        Some(Fault::Throttled | Fault::Partly) => {
            note(false, true);
            Some(Answer { status: 429, body: json!({}) })
        }
        Some(Fault::Refused) => {
            note(false, true);
            Some(Answer { status: 503, body: json!({}) })
        }
        Some(Fault::TimedOut) => {
            note(false, false);
            None
        }
        Some(Fault::GivenUp) => {
            let before = world::with(|world| world.vendors.calls.len());
            note(false, false);
            world::with(|world| {
                let heard = (world.vendors.calls.len() > before).then_some(before);
                let at = clock::now() + SLOW;
                world.vendors.late.push(Late { at, request: request.clone(), heard });
            });
            None
        }
        Some(Fault::SlowBefore) => {
            world::dawdle().await;
            Some(apply(request, &note))
        }
        Some(Fault::SlowAfter) => {
            let answer = apply(request, &note);
            world::dawdle().await;
            Some(answer)
        }
    }
}

fn apply(request: &Request, note: &impl Fn(bool, bool)) -> Answer {
    let vendor = request.path.split('/').nth(1).unwrap_or_default();
    let (kept, mood) = world::with(|world| {
        let vendors = &mut world.vendors;
        let kept = match vendor {
            "stripe" => Some(vendors.ask_stripe(request)),
            _ => vendors.keep(&request.method, &request.path, &request.body),
        };
        (kept, vendors.mood.status())
    });
    match (kept, mood) {
        (Some(answer), _) => answer,
        (None, Some(status)) => {
            note(false, true);
            Answer { status, body: json!({}) }
        }
        (None, None) => {
            note(true, false);
            match vendor {
                "slack" => Answer { status: 200, body: json!("ok") },
                "sendgrid" => Answer { status: 202, body: json!("") },
                _ => Answer { status: 204, body: json!("") },
            }
        }
    }
}

/// Remembers a call of an effect, and sees that it may be made at all.
fn note(vendor: &str, request: &Request, applied: bool, turned_away: bool) {
    if ["hubspot", "mailerlite", "stripe"].contains(&vendor) {
        return;
    }
    let keyed = request.body["events"][0]["name"] == "purchase";
    world::with(|world| {
        let actor = world.current.map(|(actor, _)| actor).unwrap_or_default();
        let delivery = world.vendors.errands.get(&actor).cloned().unwrap_or_default();
        if !keyed {
            must_not_be_known(world, &delivery);
        }
        world.vendors.calls.push(Heard { delivery, applied, turned_away, keyed });
    });
}

/// A call that cannot be repeated, after one whose outcome nobody knows or which happened.
fn must_not_be_known(world: &mut World, delivery: &str) {
    let calls: &Vendors = &world.vendors;
    if calls.calls.iter().any(|call| call.delivery == delivery && !call.turned_away) {
        let what = format!("an at-most-once call was made again: {delivery}");
        world.violations.push(what);
    }
}
