//! Who does something by hand, and why: asked by every command that mends, replays, pauses or resumes.

use crate::{Desk, Failed, here};
use operator::Author;

/// Options of every such command.
#[derive(clap::Args)]
pub(crate) struct Signed {
    /// Why: it is kept with what was done, so name no person in it
    #[arg(long, value_name = "REASON")]
    why: String,
    /// Who you are [default: who AWS says you are; on a laptop, who is signed in]
    #[arg(long = "as", value_name = "NAME")]
    who: Option<String>,
}

impl Signed {
    /// The author that is meant.
    pub(crate) async fn author(&self, desk: &Desk) -> Result<Author, Failed> {
        let who = match &self.who {
            Some(who) => Some(who.clone()),
            None => desk.operator.caller().await?.or_else(here::user),
        };
        Ok(Author::new(&who.unwrap_or_default(), &self.why)?)
    }
}
