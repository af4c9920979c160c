//! Where an answer goes: JSON for scripts, a page for forms without them.

use domain::id::EventId;
use intake::{Body, Minted};
use lambda::http::{FieldError, Notes, Problem, Reply};
use serde::Serialize;

/// How the caller is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// `202` with the journey's id.
    Json,
    /// `303` to a page of the list.
    Page(String),
}

/// `{event_id, status: "accepted"}`
#[derive(Serialize)]
struct Accepted {
    event_id: EventId,
    status: &'static str,
}

impl Exit {
    /// Reads `redirect_to` of a form; one that does not say goes on to the first page of the list,
    /// and one without any list gets JSON.
    pub(crate) fn of(body: &Body, pages: &[String]) -> Result<Self, Problem> {
        if !body.is_form {
            return Ok(Self::Json);
        }
        match body.fields.text("redirect_to") {
            None => Ok(pages.first().cloned().map_or(Self::Json, Self::Page)),
            Some(page) if pages.iter().any(|allowed| allowed == page) => {
                Ok(Self::Page(page.to_owned()))
            }
            Some(_) => Err(Problem::invalid(vec![FieldError {
                field: "redirect_to",
                detail: "must be one of the pages in FormRedirectUrls",
            }])),
        }
    }

    /// The answer to a lead that is stored.
    pub(crate) fn accepting(self, event_id: EventId, duplicate: bool) -> Reply {
        let notes = Notes {
            event_id: Some(event_id.to_string()),
            duplicate: Some(duplicate),
            ..Notes::default()
        };
        self.reply(event_id).noting(notes)
    }

    /// The same answer to a machine, whose lead is dropped: it shall not learn that it was seen.
    pub(crate) fn dropping(self, body: &Body, minted: Minted) -> Reply {
        tracing::info!(trapped = 1, metrics = "trapped:Count", "a machine's lead was dropped");
        let told = body.fields.text("event_id").and_then(|text| EventId::parse(text).ok());
        self.reply(told.unwrap_or(minted.event_id))
    }

    fn reply(self, event_id: EventId) -> Reply {
        match self {
            Self::Json => Reply::json(202, &Accepted { event_id, status: "accepted" }),
            Self::Page(page) => Reply::see_other(page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use intake::Body;

    fn exit(form: &str, pages: &[&str]) -> Option<Exit> {
        let pages: Vec<String> = pages.iter().map(ToString::to_string).collect();
        Exit::of(&Body::from_form(form.as_bytes()).unwrap(), &pages).ok()
    }

    fn page(url: &str) -> Option<Exit> {
        Some(Exit::Page(url.to_owned()))
    }

    #[test]
    fn a_form_goes_on_to_a_page_of_the_list_and_to_no_other() {
        let pages = ["https://example.pt/obrigado", "https://example.pt/thanks"];
        assert_eq!(exit("", &pages), page("https://example.pt/obrigado"));
        let form = "redirect_to=https%3A%2F%2Fexample.pt%2Fthanks";
        assert_eq!(exit(form, &pages), page("https://example.pt/thanks"));
        for elsewhere in [
            "https://example.com/",
            "https://example.pt/thanks/",
            "https://example.pt/thanks@example.com",
            "//example.com",
            "javascript:alert(1)",
        ] {
            assert_eq!(exit(&format!("redirect_to={elsewhere}"), &pages), None, "{elsewhere}");
        }
        assert_eq!(exit("redirect_to=https%3A%2F%2Fexample.com", &[]), None);
        assert_eq!(exit("", &[]), Some(Exit::Json));
    }

    #[test]
    fn a_script_is_answered_in_json_whatever_it_asks() {
        let body = Body::from_json(br#"{"redirect_to":"https://example.com"}"#).unwrap();
        assert_eq!(Exit::of(&body, &[]).ok(), Some(Exit::Json));
    }
}
