//! The limit: an event comes in from the Runtime API, one unsigned `PutItem` of usual size goes out,
//! and an answer goes back. No signature, no parsing, no TLS, no library: what no function can beat.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;

/// As long as the fact of a payment.
const FACT: usize = 1200;

fn main() -> Result<()> {
    let mut runtime = Connection::to(&setting("AWS_LAMBDA_RUNTIME_API")?)?;
    let endpoint = setting("AWS_ENDPOINT_URL_DYNAMODB")?;
    let mut table = Connection::to(endpoint.trim_start_matches("http://"))?;
    let fact = "x".repeat(FACT);
    loop {
        let id = runtime.call("GET", "/2018-06-01/runtime/invocation/next", "", "")?;
        let item = format!(
            r#"{{"TableName":"ledger","Item":{{"pk":{{"S":"{id}"}},"sk":{{"S":"FACT"}},"fact":{{"S":"{fact}"}}}},"ConditionExpression":"attribute_not_exists(pk)"}}"#
        );
        table.call("POST", "/", "x-amz-target: DynamoDB_20120810.PutItem\r\n", &item)?;
        let path = format!("/2018-06-01/runtime/invocation/{id}/response");
        runtime.call("POST", &path, "", r#"{"statusCode":200,"body":"{\"received\":true}"}"#)?;
    }
}

#[expect(clippy::disallowed_methods, reason = "this program is its own configuration")]
fn setting(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| Error::other(format!("{name} must be set")))
}

/// One connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    fn to(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.to_owned() })
    }

    /// Makes a call, reads the answer to its end, and answers with the request id that it names.
    fn call(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<String> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {length}\r\n\r\n{body}",
            self.host
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut id, mut left) = (String::new(), 0);
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(Error::other("the connection was closed"));
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                left = value.trim().parse().unwrap_or(0);
            } else if name.eq_ignore_ascii_case("lambda-runtime-aws-request-id") {
                value.trim().clone_into(&mut id);
            }
        }
        let mut answer = vec![0; left];
        self.stream.read_exact(&mut answer)?;
        Ok(id)
    }
}
