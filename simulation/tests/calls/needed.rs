//! What the ledger's protocol needs for each event, and why: the least that keeps every promise of
//! docs/guarantees.md on a table with one index. Sizes are those of the items as they are.

/// Calls, write units and read units of one event.
pub(crate) struct Needed {
    pub(crate) calls: &'static str,
    pub(crate) writes: &'static str,
    pub(crate) reads: &'static str,
    pub(crate) because: &'static str,
}

const fn least(
    calls: &'static str,
    writes: &'static str,
    reads: &'static str,
    because: &'static str,
) -> Needed {
    Needed { calls, writes, reads, because }
}

/// What an event needs.
pub(crate) fn needed(event: &str) -> Needed {
    let (who, what) = event.split_once(", ").unwrap_or((event, ""));
    match who {
        "lead" | "consent" | "checkout" | "webhook" => door(who, what),
        "dispatcher" => dispatcher(what),
        "sweeper" => least(
            "101",
            "0",
            "53",
            "16 lists of facts, 16 for each of 5 destinations, and 5 gates: no list of lists exists",
        ),
        _ => consumer(who, what),
    }
}

fn door(who: &str, what: &str) -> Needed {
    match (who, what) {
        ("lead", "") => least(
            "3",
            "3",
            "1",
            "count the caller; see whose journey it is; put the fact (1, and 1 for the agenda)",
        ),
        ("lead", "again") => {
            least("3", "2", "1", "the same; the put is refused and says what is there")
        }
        ("consent", _) => least("3", "3", "1", "as a lead"),
        ("checkout", _) => least(
            "7",
            "6",
            "2",
            "count the caller; read journey with its attempts, and person; take an attempt before Stripe is asked; then pointer, attempt, fact (1, and 1 for the agenda). Ours reads attempts apart",
        ),
        ("webhook", "") => least(
            "1",
            "2",
            "0",
            "put the fact (1, and 1 for the agenda): its source is its idempotency, the agenda its outbox",
        ),
        ("webhook", "again") => least("1", "1", "0", "the put is refused"),
        ("webhook", "refund") => least(
            "2",
            "2",
            "1",
            "a refund does not say whose it is: read the pointer; put the fact",
        ),
        _ => least("0", "0", "0", "nobody has said"),
    }
}

fn dispatcher(what: &str) -> Needed {
    match what {
        "lead" => least(
            "12",
            "11",
            "2",
            "read journey and person; put the routing; journey and consent to the person; 3 deliveries (2 each, the agenda's among them) and 3 queues; the fact off the agenda (2)",
        ),
        "checkout" => least(
            "10",
            "9",
            "2",
            "the same; the person has the journey and the consent already, so nothing is written there",
        ),
        "payment" => least(
            "13",
            "12",
            "2",
            "the same for 4 deliveries and 4 queues; the person's journey pays now",
        ),
        "ten leads" => {
            least("9.3", "11", "2", "as one lead, and a queue takes ten messages in one request")
        }
        _ => least("0", "0", "0", "nobody has said"),
    }
}

fn consumer(who: &str, what: &str) -> Needed {
    match (who, what) {
        ("crm-sync" | "esp-sync", "ten leads") => least(
            "6.2",
            "5.1",
            "2.1",
            "as one; the gate is asked once, and one draw could take ten slots",
        ),
        ("crm-sync" | "esp-sync", _) => least(
            "8",
            "6",
            "3",
            "claim (1: it stays where it is on the agenda); hold the person; read journey, person and gate; draw a slot; complete both (1, and 2 with the agenda). Ours reads the journey before and under the hold, says apart that a call begins, and draws twice where the schedule has fallen behind",
        ),
        ("sgtm-forwarder", "payment to sgtm") => least(
            "5",
            "3",
            "3",
            "claim; read journey, person and gate; complete (2 with the agenda); the vendor knows a purchase by its id",
        ),
        ("sgtm-forwarder", _) => {
            least("6", "4", "3", "the same, and say so before a call that must not be repeated")
        }
        ("notifier", _) => least(
            "7",
            "5",
            "3",
            "the same, and draw a slot. Ours draws twice where the schedule has fallen behind",
        ),
        _ => least("0", "0", "0", "nobody has said"),
    }
}
