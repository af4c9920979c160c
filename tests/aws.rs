//! The local AWS from an operator's side: roles and what they may do, functions, log lines.

use crate::stack::{PATIENCE, Stack, pause};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;
use url::form_urlencoded;

/// A function's role: what it is called, and its one policy.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    policy: String,
    pub(crate) document: Value,
}

/// One action that a role may do to one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) action: String,
    pub(crate) resource: String,
}

/// What came of calling a function directly.
#[derive(Debug)]
pub(crate) struct Invoked {
    /// Whether it failed.
    pub(crate) failed: bool,
    /// What it answered, or said of its failure.
    pub(crate) answer: Value,
}

impl Role {
    /// Every action with every resource, one by one.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        let statements = self.document["Statement"].as_array().unwrap();
        let mut grants = Vec::new();
        for statement in statements {
            assert_eq!(statement["Effect"], "Allow", "{}", self.name);
            for action in texts(&statement["Action"]) {
                for resource in texts(&statement["Resource"]) {
                    grants.push(Grant { action: action.clone(), resource });
                }
            }
        }
        grants.sort();
        grants
    }

    /// The policy without one grant, which it must hold.
    pub(crate) fn without(&self, grant: &Grant) -> Value {
        let mut grants = self.grants();
        let place = grants.iter().position(|held| held == grant).expect("the role may do it");
        grants.remove(place);
        let statements = grants.into_iter().map(|Grant { action, resource }| {
            json!({"Effect": "Allow", "Action": action, "Resource": resource})
        });
        json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
    }
}

/// A text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(_) => serde_json::from_value(value.clone()).unwrap(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            panic!("{value} is no text")
        }
    }
}

impl Stack {
    /// The role under which a function runs. It has one policy, and nothing from elsewhere.
    pub(crate) async fn role(&self, function: &str) -> Role {
        let arn = self.configuration(function).await["Role"].as_str().unwrap().to_owned();
        let name = arn.rsplit('/').next().unwrap().to_owned();
        let attached = self.iam("ListAttachedRolePolicies", &[("RoleName", &name)]).await;
        assert!(
            !attached.contains("<PolicyArn>"),
            "{name} has policies from elsewhere: {attached}"
        );
        let listed = self.iam("ListRolePolicies", &[("RoleName", &name)]).await;
        let policies: Vec<&str> =
            listed.split("<member>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(policies.len(), 1, "{name} has {policies:?}");
        let policy = policies[0].to_owned();
        let read = self.iam("GetRolePolicy", &[("RoleName", &name), ("PolicyName", &policy)]).await;
        let document = between(&read, "<PolicyDocument>", "</PolicyDocument>");
        let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
        Role { document: serde_json::from_str(&document).unwrap(), name, policy }
    }

    /// Whom a role trusts.
    pub(crate) async fn trust(&self, role: &Role) -> Value {
        let read = self.iam("GetRole", &[("RoleName", &role.name)]).await;
        let document = between(&read, "<AssumeRolePolicyDocument>", "</AssumeRolePolicyDocument>");
        let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
        serde_json::from_str(&document).unwrap()
    }

    /// Replaces a role's policy.
    pub(crate) async fn put_policy(&self, role: &Role, document: &Value) {
        let document = document.to_string();
        let what = [
            ("RoleName", role.name.as_str()),
            ("PolicyName", &role.policy),
            ("PolicyDocument", &document),
        ];
        self.iam("PutRolePolicy", &what).await;
    }

    async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", "2010-05-08");
        let body = body.extend_pairs(parameters).finish();
        let request = self
            .http
            .post(self.aws_endpoint())
            .header("authorization", self.authorization("iam"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {status} {text}");
        text
    }

    /// How a function is set up.
    async fn configuration(&self, function: &str) -> Value {
        let request = self.http.get(self.function_url(function, "configuration"));
        let request = request.header("authorization", self.authorization("lambda"));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// A function's environment.
    pub(crate) async fn environment(&self, function: &str) -> Map<String, Value> {
        let mut configuration = self.configuration(function).await;
        let variables = configuration["Environment"]["Variables"].take();
        let Value::Object(variables) = variables else { panic!("{function} has no environment") };
        variables
    }

    /// Gives a function an environment, under which its next event meets a new process.
    pub(crate) async fn set_environment(&self, function: &str, variables: &Map<String, Value>) {
        self.configure(function, &json!({"Environment": {"Variables": variables}})).await;
    }

    /// Sees that a function's next event meets a new process.
    pub(crate) async fn restart(&self, function: &str) {
        let same = self.environment(function).await;
        self.set_environment(function, &same).await;
    }

    async fn configure(&self, function: &str, change: &Value) {
        let began = Instant::now();
        loop {
            let request = self.http.put(self.function_url(function, "configuration"));
            let request = request.header("authorization", self.authorization("lambda"));
            let answer = request.json(change).send().await.unwrap();
            // A function takes one change after the other.
            if answer.status() != 409 {
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                assert!(status.is_success(), "{function}: {status} {text}");
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{function} takes no change");
            pause().await;
        }
    }

    /// Kills a function's processes, as a machine that dies does.
    pub(crate) fn kill(&self, function: &str) {
        let processes = self.processes(function);
        let killed = processes.iter().filter(|process| kill(process)).count();
        assert!(killed > 0, "{function} has no process");
    }

    /// The processes in which a function of this stack runs.
    pub(crate) fn processes(&self, function: &str) -> Vec<String> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}\0", self.deployed(function));
        let endpoint = self.faults_url().unwrap_or(self.aws_endpoint());
        let endpoint = format!("AWS_ENDPOINT_URL={endpoint}\0");
        let mut processes = Vec::new();
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            if environment.contains(&name) && environment.contains(&endpoint) {
                processes.push(process.file_name().into_string().unwrap());
            }
        }
        processes
    }

    /// Calls a function directly, and waits for its answer.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Invoked {
        let request = self.http.post(self.function_url(function, "invocations"));
        let request = request.header("authorization", self.authorization("lambda")).json(event);
        let answer = request.send().await.unwrap();
        let failed = answer.headers().contains_key("x-amz-function-error");
        let text = answer.text().await.unwrap();
        Invoked { failed, answer: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// Has the sweeper run, which in AWS a clock does. It may be busy for longer than we wait.
    pub(crate) async fn sweeps(&self) {
        let request = self.http.post(self.function_url("sweeper", "invocations"));
        let request = request.header("authorization", self.authorization("lambda"));
        if request.json(&json!({})).send().await.is_err() {
            // It works on, and is called again.
        }
    }

    fn function_url(&self, function: &str, what: &str) -> String {
        let name = self.deployed(function);
        format!("{}/2015-03-31/functions/{name}/{what}", self.aws_endpoint())
    }

    /// What one function has printed since a moment (in milliseconds), line by line.
    pub(crate) async fn printed(&self, function: &str, since: i64) -> Vec<String> {
        let group = format!("/aws/lambda/{}", self.deployed(function));
        let mut lines = Vec::new();
        let mut input = json!({"logGroupName": group, "startTime": since, "limit": 10_000});
        loop {
            let page = self.json_call("logs", "Logs_20140328.FilterLogEvents", &input).await;
            let events = page["events"].as_array().cloned().unwrap_or_default();
            lines.extend(events.iter().filter_map(|e| Some(e["message"].as_str()?.to_owned())));
            match page.get("nextToken").filter(|token| !events.is_empty() && token.is_string()) {
                Some(token) => input["nextToken"] = token.clone(),
                None => return lines,
            }
        }
    }

    /// Waits until a function has printed a line with a text in it since a moment.
    pub(crate) async fn wait_for_line(&self, function: &str, since: i64, text: &str) -> String {
        let began = Instant::now();
        loop {
            let lines = self.printed(function, since).await;
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(began.elapsed() < PATIENCE, "{function} never printed {text}: {lines:#?}");
            pause().await;
        }
    }

    /// Every message on every queue, dead letters and failures of the stream included, by queue.
    pub(crate) async fn messages(&self) -> BTreeMap<String, Vec<Value>> {
        let url = format!("{}/_ministack/sqs/messages", self.aws_endpoint());
        let shown: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let mut queues = BTreeMap::new();
        for regions in shown["messages"].as_object().unwrap().values() {
            for region in regions.as_object().unwrap().values() {
                for (url, messages) in region.as_object().unwrap() {
                    queues.insert(url.clone(), messages.as_array().unwrap().clone());
                }
            }
        }
        queues
    }

    /// The value of a parameter under the stack's prefix.
    pub(crate) async fn parameter(&self, name: &str) -> String {
        let prefix = self.environment("notifier").await["SECRETS_PREFIX"].clone();
        let name = format!("{}/{name}", prefix.as_str().unwrap());
        let input = json!({"Name": name, "WithDecryption": true});
        let read = self.json_call("ssm", "AmazonSSM.GetParameter", &input).await;
        read["Parameter"]["Value"].as_str().unwrap_or_else(|| panic!("{name}: {read}")).to_owned()
    }

    /// Sets a secret under the stack's prefix.
    pub(crate) async fn set_secret(&self, name: &str, value: &str) {
        let prefix = self.environment("notifier").await["SECRETS_PREFIX"].clone();
        let name = format!("{}/{name}", prefix.as_str().unwrap());
        let input =
            json!({"Name": name, "Type": "SecureString", "Value": value, "Overwrite": true});
        self.json_call("ssm", "AmazonSSM.PutParameter", &input).await;
    }

    async fn json_call(&self, service: &str, target: &str, input: &Value) -> Value {
        let request = self
            .http
            .post(self.aws_endpoint())
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(input.to_string());
        request.send().await.unwrap().json().await.unwrap()
    }
}

/// Kills a process at once. Answers whether it was there.
pub(crate) fn kill(process: &str) -> bool {
    Command::new("kill").args(["-KILL", process]).status().unwrap().success()
}

/// Now, in the milliseconds that log lines are dated with.
#[expect(clippy::disallowed_methods, reason = "lines of a test are those after its beginning")]
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is missing: {text}")).1;
    rest.split_once(after).unwrap().0
}
