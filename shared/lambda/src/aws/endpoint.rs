//! Where AWS's services are.

use crate::settings::Settings;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// A service of AWS's that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The ledger's table.
    DynamoDb,
    /// The queues.
    Sqs,
    /// The secrets.
    Ssm,
}

impl Service {
    const ALL: [Self; 3] = [Self::DynamoDb, Self::Sqs, Self::Ssm];

    /// What AWS's SDK calls it.
    fn id(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB",
            Self::Sqs => "SQS",
            Self::Ssm => "SSM",
        }
    }

    /// The setting that says where it is.
    fn setting(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            Self::Ssm => "AWS_ENDPOINT_URL_SSM",
        }
    }
}

/// The services' addresses: AWS's own, or what the environment says, as for all of AWS's SDKs
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    region: String,
    /// `AWS_ENDPOINT_URL`.
    everywhere: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB` and its like.
    own: BTreeMap<Service, String>,
}

impl Endpoints {
    pub(crate) fn read(settings: &mut Settings<'_>) -> Self {
        let own = Service::ALL
            .into_iter()
            .filter_map(|service| Some((service, settings.optional(service.setting())?)));
        Self {
            own: own.collect(),
            region: settings.text("AWS_REGION"),
            everywhere: settings.optional("AWS_ENDPOINT_URL"),
        }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// A service's address.
    pub(crate) fn of(&self, service: Service) -> String {
        self.given(service).cloned().unwrap_or_else(|| {
            format!("https://{}.{}.amazonaws.com", service.id().to_lowercase(), self.region)
        })
    }

    fn given(&self, service: Service) -> Option<&String> {
        self.own.get(&service).or(self.everywhere.as_ref())
    }
}

/// What AWS's clients ask when they are made.
impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = Service::ALL.into_iter().find(|service| service.id() == key.service_id())?;
        (key.env() == "AWS_ENDPOINT_URL").then(|| self.given(service).cloned()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoints, Service};
    use crate::settings;
    use std::collections::HashMap;

    fn endpoints(environment: &[(&str, &str)]) -> Endpoints {
        let environment: HashMap<_, _> = environment.iter().copied().collect();
        settings::read_from(
            &|name| environment.get(name).map(|value| (*value).to_owned()),
            Endpoints::read,
        )
        .unwrap()
    }

    #[test]
    fn a_service_is_where_aws_has_it_unless_somebody_says_so() {
        let aws = endpoints(&[("AWS_REGION", "eu-west-1")]);
        assert_eq!(aws.of(Service::DynamoDb), "https://dynamodb.eu-west-1.amazonaws.com");
        let stand_in = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        let own = ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324");
        let moved = endpoints(&[("AWS_REGION", "eu-west-1"), stand_in, own]);
        assert_eq!(moved.of(Service::Sqs), own.1);
        assert_eq!(moved.of(Service::Ssm), stand_in.1);
    }
}
