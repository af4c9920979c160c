//! AWS below the SDK: an HTTP client that decodes what the SDK sends and answers from the world. All
//! above it, the SDK's own repetitions and parsing included, is what ships.

use crate::clock;
use crate::fault::Fault;
use crate::meter;
use crate::world::{self, Touch};
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::future::pending;
use std::time::{Duration, SystemTime};

/// The AWS of the world: what ships says how it is called, and only who answers is ours. The region
/// is new each time, because the SDK keeps a quota of repetitions for each.
pub(crate) fn config(region: u64) -> SdkConfig {
    lambda::aws::settings()
        .region(Region::new(format!("nowhere-{region}")))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "key",
            "secret",
            None,
            None,
            "simulation",
        )))
        .identity_cache(aws_config::identity::IdentityCache::no_cache())
        .endpoint_url("http://aws.invalid")
        .http_client(Below)
        .sleep_impl(Nap)
        .time_source(StaticTimeSource::new(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_607_200),
        ))
        // A call that is not answered says so at once: nothing here waits for real.
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(
            aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled(),
        )
        .build()
}

/// Where the SDK waits before it repeats, the world's clock goes on.
#[derive(Debug)]
struct Nap;

impl AsyncSleep for Nap {
    fn sleep(&self, duration: Duration) -> Sleep {
        clock::pass(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX));
        Sleep::new(async {})
    }
}

#[derive(Debug, Clone, Copy)]
struct Below;

impl HttpClient for Below {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self)
    }
}

impl HttpConnector for Below {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let target = header("x-amz-target");
        let body = request.body().bytes().unwrap_or_default();
        let call = Call {
            invocation: header("amz-sdk-invocation-id"),
            again: !header("amz-sdk-request").starts_with("attempt=1"),
            service: target.split(['_', '.']).next().unwrap_or_default().to_owned(),
            operation: target.rsplit('.').next().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        };
        HttpConnectorFuture::new(call.answer())
    }
}

/// One attempt of one call.
struct Call {
    invocation: String,
    again: bool,
    service: String,
    operation: String,
    body: Value,
}

impl Call {
    async fn answer(self) -> Result<HttpResponse, ConnectorError> {
        world::turn(self.touch()).await;
        let label = format!("{} {}", self.operation, self.touch().place);
        let fault = world::with(|world| world.strike(&self.invocation, &label, self.touch()));
        match fault {
            None => Ok(self.apply()),
            Some(Fault::CrashBefore) => {
                world::with(world::World::crash);
                pending().await
            }
            Some(Fault::CrashAfter) => {
                self.apply();
                world::with(world::World::crash);
                pending().await
            }
            Some(Fault::AnswerLost) if self.again => Ok(self.apply()),
            Some(Fault::AnswerLost) => {
                self.apply();
                Err(ConnectorError::io("the connection was cut".into()))
            }
            Some(Fault::LostForGood) if self.again => Err(timeout()),
            Some(Fault::LostForGood) => {
                self.apply();
                Err(timeout())
            }
            Some(Fault::Partly) if self.operation == "SendMessageBatch" => {
                world::with(|world| world.queues.fail_last = true);
                Ok(self.apply())
            }
            Some(Fault::Throttled | Fault::Partly) if self.again => Ok(self.apply()),
            Some(Fault::Throttled | Fault::Partly | Fault::Refused) => Ok(self.throttled()),
            Some(Fault::TimedOut | Fault::GivenUp) => Err(timeout()),
            Some(Fault::SlowBefore) => {
                world::dawdle().await;
                Ok(self.apply())
            }
            Some(Fault::SlowAfter) => {
                let answer = self.apply();
                world::dawdle().await;
                Ok(answer)
            }
        }
    }

    fn touch(&self) -> Touch {
        let body = &self.body;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = if body["Key"].is_null() { &body["Item"] } else { &body["Key"] };
        let first = &body["TransactItems"][0]["Update"]["Key"];
        let place = match self.operation.as_str() {
            "Query" if body["IndexName"].is_null() => queried(body),
            // The index shows items of any key.
            "Query" => String::new(),
            "GetItem" | "PutItem" | "UpdateItem" => {
                format!("{}|{}", text(&key["pk"]["S"]), text(&key["sk"]["S"]))
            }
            // A change and its audit are of one journey.
            "TransactWriteItems" => format!("{}|", text(&first["pk"]["S"])),
            _ => format!("{}{}", text(&body["QueueUrl"]), text(&body["Name"])),
        };
        let reads = ["Query", "GetItem", "GetParameter", "GetQueueAttributes"];
        let writes = !reads.contains(&self.operation.as_str());
        Touch { place, writes }
    }

    fn apply(&self) -> HttpResponse {
        let (operation, body) = (self.operation.as_str(), &self.body);
        match self.service.as_str() {
            "DynamoDB" => {
                let answer = world::with(|world| {
                    let by = world.current.map(|(actor, _)| actor);
                    let before = meter::item(&world.table, body);
                    let answer = world.table.call(operation, body, by);
                    let after = meter::item(&world.table, body);
                    let items = (before.as_ref(), after.as_ref());
                    world.meter(
                        operation,
                        meter::units(operation, body, answer.as_ref().ok(), items),
                    );
                    world.watch_the_cursor();
                    answer
                });
                match answer {
                    Ok(answer) => respond(200, &answer),
                    Err(refusal) => {
                        if refusal.kind == "ValidationException" {
                            let what = format!(
                                "the table calls it invalid: {operation} {}",
                                refusal.body()
                            );
                            world::with(|world| world.violations.push(what));
                        }
                        respond(400, &refusal.body())
                    }
                }
            }
            "AmazonSQS" => match world::with(|world| {
                world.meter(operation, (0, 0));
                world.queues.call(operation, body)
            }) {
                Ok(answer) => respond(200, &answer),
                Err(kind) => respond(
                    400,
                    &json!({"__type": format!("com.amazonaws.sqs#{kind}"), "message": ""}),
                ),
            },
            _ => secret(body["Name"].as_str().unwrap_or_default()),
        }
    }

    fn throttled(&self) -> HttpResponse {
        if self.operation == "TransactWriteItems" {
            // Each of its parts says why: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
            let reasons = json!([{"Code": "ThrottlingError"}, {"Code": "None"}]);
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return respond(400, &json!({"__type": kind, "CancellationReasons": reasons}));
        }
        let kind = if self.service == "DynamoDB" {
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        } else {
            "com.amazonaws.sqs#RequestThrottled"
        };
        respond(400, &json!({"__type": kind, "message": "too much at once"}))
    }
}

/// What a query of one partition reads: the part of it that its condition names, where it begins with
/// something.
fn queried(body: &Value) -> String {
    let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
    let value =
        |name: &str| body["ExpressionAttributeValues"][name]["S"].as_str().unwrap_or_default();
    let begin =
        condition.split_once("begins_with(sk, ").and_then(|(_, rest)| rest.strip_suffix(')'));
    format!("{}|{}", value(":pk"), begin.map(value).unwrap_or_default())
}

/// The secrets of a shop whose vendors are all switched on.
fn secret(name: &str) -> HttpResponse {
    let value = match name.rsplit('/').next().unwrap_or_default() {
        "PEPPER" => format!("v1:{}", "ab".repeat(32)),
        "STRIPE_WEBHOOK_SECRET" => crate::story::SIGNING_SECRET.to_owned(),
        "CATALOGUE" => include_str!("../../config/catalogue.sample.json").to_owned(),
        "SLACK_WEBHOOK_URL" => world::with(|world| world.vendors.url("slack")),
        other => format!("secret-of-{other}"),
    };
    respond(200, &json!({"Parameter": {"Name": name, "Type": "SecureString", "Value": value}}))
}

fn timeout() -> ConnectorError {
    ConnectorError::timeout("no answer in time".into())
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap_or_else(|_| unreachable!("our own statuses"));
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
