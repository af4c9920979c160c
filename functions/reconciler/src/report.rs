//! What a run found, in one line with its metrics.

use jiff::Timestamp;

/// What a run found and did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Events that Stripe listed.
    pub(crate) seen: u64,
    /// Those among them that no webhook had brought.
    pub(crate) recorded: u64,
    /// Those that cannot be recorded: not to be read, or of the other mode.
    pub(crate) passed: u64,
    /// Whether the run stopped before its time.
    pub(crate) failed: bool,
    /// Until when everything is recorded.
    pub(crate) cursor: Option<Timestamp>,
    /// How long ago Stripe's newest event of our types was made.
    pub(crate) quiet_seconds: Option<i64>,
    /// Whether Stripe sends webhooks to an address like ours; unknown where we may not ask.
    pub(crate) endpoint_enabled: Option<bool>,
}

impl Report {
    /// Says it. What is not known is no metric.
    pub(crate) fn say(&self, now: Timestamp) {
        let gap_seconds = self.cursor.map(|cursor| now.duration_since(cursor).as_secs().max(0));
        let endpoint_enabled = self.endpoint_enabled.map(u64::from);
        let metrics = [
            Some("seen:Count,recorded:Count,passed:Count,failed:Count"),
            gap_seconds.map(|_| "gap_seconds:Seconds"),
            self.quiet_seconds.map(|_| "quiet_seconds:Seconds"),
            endpoint_enabled.map(|_| "endpoint_enabled:Count"),
        ];
        let metrics = metrics.into_iter().flatten().collect::<Vec<_>>().join(",");
        tracing::info!(
            seen = self.seen,
            recorded = self.recorded,
            passed = self.passed,
            failed = u64::from(self.failed),
            gap_seconds,
            quiet_seconds = self.quiet_seconds,
            endpoint_enabled,
            metrics,
            "reconciled"
        );
    }
}
