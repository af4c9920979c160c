//! Slack's incoming webhooks.
//!
//! docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: the address is the secret;
//! the answer is `ok`, or a word that says what was wrong. Stricter than Slack: fields that Slack
//! ignores are refused here, since an ignored field is a mistake of ours.

use axum::http::Method;
use serde_json::Value;

use crate::exchange::{Answer, Request};

const FIELDS: [&str; 9] = [
    "text",
    "blocks",
    "attachments",
    "mrkdwn",
    "thread_ts",
    "response_type",
    "unfurl_links",
    "unfurl_media",
    "metadata",
];
/// docs.slack.dev/reference/block-kit/blocks
const BLOCKS: [&str; 9] =
    ["actions", "context", "divider", "file", "header", "image", "rich_text", "section", "video"];
const TEXT_LIMIT: usize = 40_000;
const SECTION_LIMIT: usize = 3_000;
const BLOCK_LIMIT: usize = 50;

/// Answers one request to Slack.
pub(crate) fn answer(request: &Request) -> Answer {
    let segments = request.segments();
    let known = matches!(segments.as_slice(), [services, team, bot, _secret]
        if services == "services" && team.starts_with('T') && bot.starts_with('B'));
    if !known {
        return Answer::text(404, "no_service");
    }
    if request.method != Method::POST {
        return Answer::text(405, "method_not_allowed");
    }
    match complaint(request) {
        Some(word) => Answer::text(400, word),
        None => Answer::text(200, "ok"),
    }
}

fn complaint(request: &Request) -> Option<&'static str> {
    let Some(Value::Object(message)) = request.json() else { return Some("invalid_payload") };
    if request.media_type() != "application/json" {
        return Some("invalid_payload");
    }
    if message.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        return Some("invalid_payload");
    }
    match (message.get("text"), message.get("blocks")) {
        (None, None) => Some("no_text"),
        (text, blocks) => text.and_then(text_fault).or_else(|| blocks.and_then(blocks_fault)),
    }
}

fn text_fault(text: &Value) -> Option<&'static str> {
    match text.as_str() {
        None => Some("invalid_payload"),
        Some("") => Some("no_text"),
        Some(text) if text.chars().count() > TEXT_LIMIT => Some("msg_too_long"),
        Some(_) => None,
    }
}

fn blocks_fault(blocks: &Value) -> Option<&'static str> {
    let Some(blocks) = blocks.as_array() else { return Some("invalid_blocks") };
    let good = blocks.len() <= BLOCK_LIMIT && blocks.iter().all(is_block);
    (!good).then_some("invalid_blocks")
}

fn is_block(block: &Value) -> bool {
    let kind = block["type"].as_str().unwrap_or_default();
    let text = block["text"]["text"].as_str().unwrap_or_default();
    let complete =
        kind != "section" || block.get("text").is_some() || block.get("fields").is_some();
    BLOCKS.contains(&kind) && complete && text.chars().count() <= SECTION_LIMIT
}

/// A refusal in Slack's shape.
pub(crate) fn fault(status: u16) -> Answer {
    let word = match status {
        400 => "invalid_payload",
        403 => "action_prohibited",
        404 => "no_service",
        410 => "channel_is_archived",
        429 => "rate_limited",
        _ => "rollup_error",
    };
    Answer::text(status, word)
}
