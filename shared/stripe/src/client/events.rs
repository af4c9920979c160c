//! Events that are fetched instead of sent: <https://docs.stripe.com/api/events/list>. Stripe keeps
//! them for 30 days and lists the newest first.

use super::{Calls, Request, StripeError};
use crate::event::Kind;
use domain::id::StripeId;
use jiff::Timestamp;
use outbound::Answer;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// The most that Stripe puts into one page.
const PAGE: &str = "100";

/// A stretch of time, in whole seconds as Stripe counts them: it begins with `from` and ends before
/// `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first second.
    pub from: Timestamp,
    /// The second after the last.
    pub until: Timestamp,
}

/// An event that we fetched from Stripe ourselves, with our key and over TLS, not yet read: as good
/// as a signed one. Made by the client alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchedEvent {
    id: Option<StripeId>,
    created: Option<Timestamp>,
    body: Vec<u8>,
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Its events.
    pub events: Vec<FetchedEvent>,
    /// Behind which event the next page begins; `None` on the last.
    pub next: Option<StripeId>,
}

impl FetchedEvent {
    /// Its id, where it has one that is Stripe's.
    #[must_use]
    pub fn id(&self) -> Option<&StripeId> {
        self.id.as_ref()
    }

    /// The second in which Stripe made it, where it says so.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    fn of(event: &Value) -> Self {
        let created = event.get("created").and_then(Value::as_i64);
        Self {
            id: event.get("id").and_then(Value::as_str).and_then(|id| StripeId::parse(id).ok()),
            created: created.and_then(|second| Timestamp::from_second(second).ok()),
            body: event.to_string().into_bytes(),
        }
    }
}

impl std::fmt::Debug for FetchedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[fetched event of {} bytes]", self.body.len())
    }
}

impl Calls<'_> {
    /// A page of the events of our types that were made in a window: the newest ones, or those
    /// behind `after`.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done.
    pub async fn list_events(
        &self,
        window: Window,
        after: Option<&StripeId>,
    ) -> Result<EventPage, StripeError> {
        let mut query = of_our_types();
        query
            .append_pair("created[gte]", &window.from.as_second().to_string())
            .append_pair("created[lt]", &window.until.as_second().to_string())
            .append_pair("limit", PAGE);
        if let Some(after) = after {
            query.append_pair("starting_after", after.as_str());
        }
        self.asked(Request::get("list_events", "/v1/events", &query.finish()), page).await
    }

    /// The newest event of our types; `None` where Stripe remembers none.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done.
    pub async fn newest_event(&self) -> Result<Option<FetchedEvent>, StripeError> {
        let query = of_our_types().append_pair("limit", "1").finish();
        let page = self.asked(Request::get("newest_event", "/v1/events", &query), page).await?;
        Ok(page.events.into_iter().next())
    }
}

fn of_our_types() -> Serializer<'static, String> {
    let mut query = Serializer::new(String::new());
    for kind in Kind::OF_MONEY {
        query.append_pair("types[]", kind.name());
    }
    query
}

#[derive(Deserialize)]
struct ListWire {
    data: Vec<Value>,
    has_more: bool,
}

/// A page that promises more behind it must say behind what.
fn page(answer: &Answer) -> Option<EventPage> {
    let list: ListWire = answer.json()?;
    let events: Vec<FetchedEvent> = list.data.iter().map(FetchedEvent::of).collect();
    let last = events.iter().rev().find_map(|event| event.id.clone());
    let next = if list.has_more { Some(last?) } else { None };
    Some(EventPage { events, next })
}
