//! Bodies that cannot be read, and bodies that are too large to be.

use super::answers::{FORM, PAGES, a_few_at_a_time, ask};
use crate::sandbox::peace;
use crate::stack::Stack;
use lambda::http::{Kind, LARGEST_BODY};

/// Each with a name for the failure.
fn unreadable() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{{\"a\":{}1{}}}", open.repeat(levels), close.repeat(levels))
    };
    let texts = [
        ("nothing", String::new()),
        ("blanks", " \n\t".into()),
        ("no JSON", "nonsense".into()),
        ("cut", "{\"email\":\"ana.si".into()),
        ("two values", "{}{}".into()),
        ("a list", "[{}]".into()),
        ("null", "null".into()),
        ("a text", "\"text\"".into()),
        ("a number", "17".into()),
        ("nine levels of lists", nested("[", "]", 8)),
        ("nine levels of objects", nested("{\"a\":", "}", 8)),
        ("fifty thousand levels", nested("[", "]", 50_000)),
        ("levels that never close", "[".repeat(100_000)),
        ("a field twice", "{\"email\":\"a@example.pt\",\"email\":\"b@example.pt\"}".into()),
        ("a field twice, once escaped", "{\"email\":1,\"\\u0065mail\":2}".into()),
        ("a field twice, deep in an unknown one", "{\"x\":[{\"b\":1,\"b\":1}]}".into()),
        ("a field twice in the consent", "{\"consent\":{\"version\":1,\"version\":2}}".into()),
        ("a lone high surrogate", "{\"full_name\":\"\\ud83d\"}".into()),
        ("a lone low surrogate", "{\"full_name\":\"\\ude00\"}".into()),
        ("surrogates in the wrong order", "{\"full_name\":\"\\ude00\\ud83d\"}".into()),
        ("a surrogate in a name", "{\"\\ud800\":1}".into()),
        ("an escape that is none", "{\"full_name\":\"\\x41\"}".into()),
        ("a bare control character", "{\"full_name\":\"a\u{1}b\"}".into()),
        ("a bare line break in a text", "{\"full_name\":\"a\nb\"}".into()),
        ("a byte order mark", "\u{feff}{}".into()),
        ("not a number", "{\"revision\":NaN}".into()),
        ("infinity", "{\"revision\":-Infinity}".into()),
        ("a number beyond all numbers", "{\"revision\":1e999}".into()),
        ("a leading zero", "{\"revision\":01}".into()),
        ("a trailing comma", "{\"revision\":1,}".into()),
        ("a comment", "{/**/}".into()),
        ("single quotes", "{'revision':1}".into()),
        ("a form", "full_name=Ana&email=ana%40example.pt".into()),
        ("XML", "<lead/>".into()),
    ];
    let mut bodies: Vec<_> =
        texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    bodies.push(("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()));
    bodies.push(("a NUL", b"{\"a\":\0}".to_vec()));
    bodies
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_as_a_whole_by_every_route() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let bodies = unreadable();
    let calls = PAGES.iter().flat_map(|path| bodies.iter().map(move |body| (path, body)));
    a_few_at_a_time(calls.map(async |(path, (name, body))| {
        let told = ask(path).body(body.clone()).post(&stack).await;
        told.is_problem(Kind::MalformedBody, &[], &(path, name));
    }))
    .await;
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused_as_a_whole() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let forms: [(&str, &[u8]); 4] = [
        ("a field twice", b"full_name=Ana+Silva&full_name=Ana+Maria"),
        ("a box twice", b"consent_marketing=on&consent_marketing=off&consent_version=1"),
        ("no UTF-8 under the encoding", b"full_name=%ff%fe"),
        ("half a character", b"full_name=%c3"),
    ];
    for (name, form) in forms {
        let told = ask("/leads").header("content-type", FORM).body(form).post(&stack).await;
        told.is_problem(Kind::MalformedBody, &[], &name);
    }
}

#[tokio::test]
async fn size_is_looked_at_before_anything_else() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let padded = |length: usize| {
        let frame = "{\"x\":\"\"}".len();
        format!(
            "{{\"x\":\"{}\"}}",
            "é".repeat((length - frame) / 2) + &"x".repeat((length - frame) % 2)
        )
    };
    for path in PAGES {
        let largest = ask(path).body(padded(LARGEST_BODY)).post(&stack).await;
        assert_eq!(largest.kind(), Some(Kind::InvalidField), "{path}: {largest:?}");
        for (name, asking) in [
            ("one byte more", ask(path).body(padded(LARGEST_BODY + 1))),
            ("no JSON", ask(path).body("x".repeat(LARGEST_BODY + 1))),
            ("no content type", ask(path).without("content-type").body(padded(LARGEST_BODY + 1))),
            (
                "another page and another type",
                ask(path)
                    .header("origin", "https://example.com")
                    .header("content-type", "image/png")
                    .body("x".repeat(LARGEST_BODY * 4)),
            ),
        ] {
            asking.post(&stack).await.is_problem(Kind::BodyTooLarge, &[], &(path, name));
        }
    }
    let webhook = ask("/webhooks/stripe").header("stripe-signature", "t=1,v1=00");
    let told = webhook.body("x".repeat(LARGEST_BODY + 1)).post(&stack).await;
    told.is_problem(Kind::BodyTooLarge, &[], &"webhook");
}
