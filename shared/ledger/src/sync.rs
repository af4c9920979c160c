//! The claim on a person at a destination that keeps state: one worker at a time brings it up to date.

use crate::changes::Changes;
use crate::claim::Completed;
use crate::item::{Item, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::destination::Destination;
use domain::pepper::PersonKey;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// What a destination was told last of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// The person's id at the vendor.
    pub vendor_id: Option<String>,
    /// A word of the provider's about what it sent last, or its word for "nobody knows".
    pub status: Option<String>,
    /// The digest of the last body; none while it is unknown what the vendor took.
    pub digest: Option<String>,
    /// Whether it was ever called about them, whatever came of it.
    pub attempted: bool,
    /// Until when a worker holds the person here.
    pub held_until: Option<Timestamp>,
    /// Calls that may still take effect, whatever was said since.
    pub doubt: Option<Doubt>,
}

impl Synced {
    /// Whether somebody is telling the destination something, or nobody knows what became of a call.
    #[must_use]
    pub fn is_unsettled(&self, now: Timestamp) -> bool {
        let is_held = self.held_until.is_some_and(|until| until > now);
        is_held || self.doubt.as_ref().is_some_and(|doubt| doubt.lasts(now))
    }
}

/// What a destination is about to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The digest of its bytes, by which the same is known again; none without a key to make it with.
    pub digest: Option<String>,
    /// The status that holds while nobody knows whether it was taken; `None` leaves the one that is
    /// there.
    pub in_doubt: Option<&'static str>,
}

/// Calls of which nobody knows what became of them: the worker vanished, or gave up waiting for an
/// answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Until when one of them may still take effect.
    pub until: Timestamp,
    /// What all of them say; none where they differ.
    pub digest: Option<String>,
}

impl Doubt {
    /// Whether one of them may still take effect.
    fn lasts(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// Whether what is said now may be undone by them. To be told the same twice undoes nothing.
    fn threatens(&self, digest: Option<&str>) -> bool {
        digest.is_none() || self.digest.as_deref() != digest
    }
}

/// The right to bring one person up to date at one destination. Only the ledger gives it.
#[derive(Debug)]
pub struct SyncClaim {
    person: PersonKey,
    destination: Destination,
    token: String,
    /// Until when a call that begins under it may take effect.
    call_until: Timestamp,
    /// What the destination was told last.
    pub synced: Synced,
}

/// The times that asking for a person needs.
#[derive(Debug, Clone, Copy)]
pub struct SyncTimes {
    /// Now.
    pub now: Timestamp,
    /// How long the worker holds the person.
    pub lease: SignedDuration,
    /// How long after that a call may still take effect.
    pub doubt: SignedDuration,
    /// How long it is remembered what the destination was told; every claim pushes it forward.
    pub keep: SignedDuration,
}

/// What became of asking for a person.
#[derive(Debug)]
pub enum SyncClaimed {
    /// Held.
    Held(SyncClaim),
    /// Somebody else holds them until then.
    Busy(Timestamp),
}

impl SyncClaim {
    /// Whom it is on.
    #[must_use]
    pub fn person(&self) -> &PersonKey {
        &self.person
    }

    /// Where it is.
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// Until when a call of somebody before may still undo what is said under this claim; `None` where
    /// none can.
    #[must_use]
    pub fn threatened_until(&self, digest: Option<&str>) -> Option<Timestamp> {
        let doubt = self.synced.doubt.as_ref().filter(|doubt| doubt.threatens(digest));
        doubt.map(|doubt| doubt.until)
    }
}

impl Ledger {
    /// Asks for a person at a destination.
    ///
    /// # Errors
    /// [`Unavailable`]: ask again.
    pub async fn claim_sync(
        &self,
        person: &PersonKey,
        destination: Destination,
        SyncTimes { now, lease, doubt, keep }: SyncTimes,
    ) -> Result<SyncClaimed, Unavailable> {
        let token = Uuid::new_v4().to_string();
        let expires_at = now.as_second().saturating_add(keep.as_secs());
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let held = |item: &Item| {
            let mut synced = decode(item);
            synced.doubt = synced.doubt.filter(|doubt| doubt.lasts(now));
            let claim = SyncClaim {
                person: person.clone(),
                destination,
                token: token.clone(),
                call_until: until.checked_add(doubt).unwrap_or(Timestamp::MAX),
                synced,
            };
            SyncClaimed::Held(claim)
        };
        let update = self
            .update_sync(person, destination)
            .update_expression(
                "SET #token = :token, lease_until = :until, expires_at = :expires_at",
            )
            .condition_expression("attribute_not_exists(#token) OR lease_until < :now")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":token", text(&token))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":expires_at", number(expires_at))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written("claim a person at a destination", update)? {
            Written::Landed(output) => Ok(held(&output.attributes.unwrap_or_default())),
            Written::Refused(was) => {
                let item = was.unwrap_or_default();
                let ours = get_text(&item, "token") == Some(&token);
                let busy = || SyncClaimed::Busy(get_time(&item, "lease_until").unwrap_or(now));
                Ok(if ours { held(&item) } else { busy() })
            }
        }
    }

    /// Notes, before a call, that the destination is being told something: from here on nobody knows
    /// what it holds until the call is completed, or can no longer take effect.
    ///
    /// # Errors
    /// [`Unavailable`]: the call must not be made.
    pub async fn begin_sync(
        &self,
        claim: &SyncClaim,
        statement: &Statement,
    ) -> Result<Completed, Unavailable> {
        // With an earlier call that says something else, nobody can say what the last to land says.
        let digest = statement.digest.as_deref();
        let digest = digest.filter(|_| claim.threatened_until(digest).is_none());
        let doubt = Doubt { until: claim.call_until, digest: digest.map(str::to_owned) };
        let changes = Changes::default()
            .set("attempted", AttributeValue::Bool(true))
            .set_if("status", statement.in_doubt.map(text))
            .remove("digest");
        self.land_sync(noting(changes, Some(&doubt)), claim).await
    }

    /// Notes what the destination was told, and lets the person go. Fenced off where the lease was
    /// over and somebody else took the person. While an earlier call that says something else is in
    /// doubt, only the vendor's id is noted: whatever else was told may be undone.
    ///
    /// # Errors
    /// [`Unavailable`]: the lease ends by itself, and the next worker tells the vendor the same.
    pub async fn complete_sync(
        &self,
        claim: &SyncClaim,
        told: &Synced,
    ) -> Result<Completed, Unavailable> {
        let is_sure = claim.threatened_until(told.digest.as_deref()).is_none();
        let sure = |word: &Option<String>| word.as_deref().filter(|_| is_sure).map(text);
        let changes = let_go()
            .set_if("vendor_id", told.vendor_id.as_deref().map(text))
            .set_if("status", sure(&told.status))
            .set_if("digest", sure(&told.digest));
        self.land_sync(noting(changes, claim.synced.doubt.as_ref()), claim).await
    }

    /// Lets a person go: the vendor was not called, did not take the call, or answered. What was in
    /// doubt before is in doubt again, and nothing that was noted of this call is relied on.
    ///
    /// # Errors
    /// [`Unavailable`]: the lease ends by itself.
    pub async fn release_sync(&self, claim: &SyncClaim) -> Result<Completed, Unavailable> {
        self.complete_sync(claim, &Synced::default()).await
    }

    /// Lets a person go after a call of which nobody knows what became of it: the doubt stays.
    ///
    /// # Errors
    /// [`Unavailable`]: the lease ends by itself.
    pub async fn leave_sync_in_doubt(&self, claim: &SyncClaim) -> Result<Completed, Unavailable> {
        self.land_sync(let_go(), claim).await
    }

    /// Forgets the digest of what was told last, so that the next worker calls the vendor again, and
    /// fences off whoever holds the person now: for an operator who wants it told again.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn doubt_sync(
        &self,
        person: &PersonKey,
        destination: Destination,
    ) -> Result<(), Unavailable> {
        self.update_sync(person, destination)
            .update_expression("REMOVE digest, #token, lease_until")
            .expression_attribute_names("#token", "token")
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                Unavailable::from_sdk("doubt a person's state at a destination", &error)
            })
    }

    /// Makes what a vendor holds under an address that a correction replaced the heir's, before the
    /// vendor is told: its id, and its status where nothing was said of the heir. Both are held. What
    /// was said about the old address itself, a withdrawal, stays true of it. May be repeated.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn inherit_sync(
        &self,
        heir: &mut SyncClaim,
        old: &SyncClaim,
    ) -> Result<Completed, Unavailable> {
        if heir.synced.vendor_id.is_none() {
            heir.synced.vendor_id.clone_from(&old.synced.vendor_id);
            heir.synced.digest = None;
            if heir.synced.status.is_none() {
                heir.synced.status.clone_from(&old.synced.status);
            }
            let changes = Changes::default()
                .set_if("vendor_id", heir.synced.vendor_id.as_deref().map(text))
                .set_if("status", heir.synced.status.as_deref().map(text))
                .remove("digest");
            if self.land_sync(changes, heir).await? == Completed::Fenced {
                return Ok(Completed::Fenced);
            }
        }
        self.land_sync(let_go().remove("vendor_id").remove("digest"), old).await
    }

    fn update_sync(&self, person: &PersonKey, destination: Destination) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::sync(destination)))
    }

    async fn land_sync(
        &self,
        changes: Changes,
        claim: &SyncClaim,
    ) -> Result<Completed, Unavailable> {
        let update = changes
            .apply(self.update_sync(&claim.person, claim.destination))
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":token", text(&claim.token))
            .send()
            .await;
        match written("note what a destination was told", update)? {
            Written::Landed(_) => Ok(Completed::Landed),
            Written::Refused(_) => Ok(Completed::Fenced),
        }
    }
}

/// The token stays, so that a repeated completion is told from a foreign one; the lease is over.
fn let_go() -> Changes {
    Changes::default().set("lease_until", number(0))
}

/// What is in doubt from here on, if anything.
fn noting(changes: Changes, doubt: Option<&Doubt>) -> Changes {
    let digest = doubt.and_then(|doubt| doubt.digest.as_deref());
    changes
        .set_or_remove("in_doubt_until", doubt.map(|doubt| time(doubt.until)))
        .set_or_remove("in_doubt_digest", digest.map(text))
}

pub(crate) fn decode(item: &Item) -> Synced {
    let word = |name| get_text(item, name).map(str::to_owned);
    Synced {
        vendor_id: word("vendor_id"),
        status: word("status"),
        digest: word("digest"),
        attempted: item.contains_key("attempted"),
        held_until: get_time(item, "lease_until"),
        doubt: get_time(item, "in_doubt_until")
            .map(|until| Doubt { until, digest: word("in_doubt_digest") }),
    }
}

#[cfg(test)]
mod tests;
