//! What may go wrong at one effect, and the plan that says where it does.

use std::collections::BTreeMap;

/// What goes wrong at an effect: a call to the table, to a queue or to a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The function dies before the call takes effect.
    CrashBefore,
    /// It takes effect, and the function dies.
    CrashAfter,
    /// It takes effect and the answer is lost; what repeats it reaches its goal.
    AnswerLost,
    /// It takes effect, the answer is lost, and so is whatever repeats it.
    LostForGood,
    /// It is turned away once.
    Throttled,
    /// It is turned away however often it is repeated.
    Refused,
    /// It never arrives, and nobody says so.
    TimedOut,
    /// Nobody answers, the caller gives up, and a vendor makes it true after others have worked.
    GivenUp,
    /// It arrives after the lease is over, and others have worked meanwhile.
    SlowBefore,
    /// Its answer arrives after the lease is over.
    SlowAfter,
    /// A queue takes all entries of a batch but the last. Elsewhere as [`Fault::Throttled`].
    Partly,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::AnswerLost,
        Self::LostForGood,
        Self::Throttled,
        Self::Refused,
        Self::TimedOut,
        Self::GivenUp,
        Self::SlowBefore,
        Self::SlowAfter,
        Self::Partly,
    ];

    /// Those that make a difference at an effect. For what only reads, a lost answer is no answer;
    /// only a vendor goes on by itself, and only a queue takes a part of what it is sent.
    #[must_use]
    pub fn that_matter(effect: Effect) -> Vec<Self> {
        let all = Self::ALL.into_iter();
        all.filter(|fault| match fault {
            Self::AnswerLost | Self::LostForGood => {
                effect != Effect::Read && effect != Effect::Look
            }
            Self::GivenUp => effect == Effect::Vendor,
            Self::Partly => effect == Effect::Queue,
            Self::CrashBefore
            | Self::CrashAfter
            | Self::Throttled
            | Self::Refused
            | Self::TimedOut
            | Self::SlowBefore
            | Self::SlowAfter => true,
        })
        .collect()
    }

    /// Those of them that come to something of their own, for pairs. To die before an effect is to
    /// die after the one before it; an answer that is late is a next call that is late; what is
    /// turned away once never reaches the function, because the SDK repeats it; and but for a vendor,
    /// of whom nobody knows then, what is not answered is as what is turned away.
    #[must_use]
    pub fn that_differ(effect: Effect) -> Vec<Self> {
        let all = Self::that_matter(effect).into_iter();
        all.filter(|fault| match fault {
            Self::CrashBefore | Self::Throttled | Self::SlowAfter => false,
            Self::TimedOut => effect == Effect::Vendor,
            Self::CrashAfter
            | Self::AnswerLost
            | Self::LostForGood
            | Self::Refused
            | Self::GivenUp
            | Self::SlowBefore
            | Self::Partly => true,
        })
        .collect()
    }

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| format!("{fault:?}") == name)
    }
}

/// What an effect is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It looks at the index of what is to do.
    Look,
    /// It reads from the table, or how long a queue is.
    Read,
    /// It writes to the table.
    Write,
    /// It changes a queue.
    Queue,
    /// It calls a vendor.
    Vendor,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// lead-capture.
    Lead,
    /// consent-capture.
    Consent,
    /// create-payment-intent.
    Checkout,
    /// stripe-webhook.
    Webhook,
    /// dispatcher.
    Dispatcher,
    /// A consumer, by its queue's name.
    Consumer(&'static str),
    /// sweeper.
    Sweeper,
    /// reconciler.
    Reconciler,
    /// The operator's command that begins dead deliveries again.
    Redrive,
}

/// Where something goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// At which effects of which functions, counted over the whole history.
    at: BTreeMap<(Function, usize), Fault>,
    /// Or else at so many of a thousand effects, by luck.
    per_mille: u16,
    /// Until this many milliseconds after the beginning; then everything works.
    until: i64,
}

impl Plan {
    /// Faults at effects of one function.
    #[must_use]
    pub fn of(function: Function, faults: &[(usize, Fault)]) -> Self {
        Self::default().and(function, faults)
    }

    /// The same, with faults at effects of another function.
    #[must_use]
    pub fn and(mut self, function: Function, faults: &[(usize, Fault)]) -> Self {
        self.at.extend(faults.iter().map(|(at, fault)| ((function, *at), *fault)));
        self
    }

    /// Faults by luck, from the thread's own generator, for so long.
    #[must_use]
    pub fn by_luck(per_mille: u16, until: i64) -> Self {
        Self { at: BTreeMap::new(), per_mille, until }
    }

    pub(crate) fn strike(&self, function: Function, at: usize) -> Option<Fault> {
        let still = crate::clock::now() < crate::clock::BEGINNING + self.until;
        if still && fastrand::u16(0..1000) < self.per_mille {
            return fastrand::choice(Fault::ALL);
        }
        self.at.get(&(function, at)).copied()
    }
}
