//! The addresses of the consumers' queues.

use domain::destination::Queue;
use lambda::settings::Settings;

/// One address for each queue.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    crm_sync: String,
    esp_sync: String,
    sgtm_forwarder: String,
    notifier: String,
}

impl QueueUrls {
    /// Reads `QUEUE_CRM_SYNC` and its like.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            crm_sync: settings.text("QUEUE_CRM_SYNC"),
            esp_sync: settings.text("QUEUE_ESP_SYNC"),
            sgtm_forwarder: settings.text("QUEUE_SGTM_FORWARDER"),
            notifier: settings.text("QUEUE_NOTIFIER"),
        }
    }

    /// The address of a queue.
    #[must_use]
    pub fn of(&self, queue: Queue) -> &str {
        match queue {
            Queue::CrmSync => &self.crm_sync,
            Queue::EspSync => &self.esp_sync,
            Queue::SgtmForwarder => &self.sgtm_forwarder,
            Queue::Notifier => &self.notifier,
        }
    }
}
