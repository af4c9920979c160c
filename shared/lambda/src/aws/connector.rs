//! One connector for all of AWS's services.
//!
//! The SDK's own HTTP client builds a connector for each service to try it, throws it away, and builds
//! another with the first call, each with the certificates parsed anew. Ours is built once, and can open
//! a connection before anybody needs one.

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::byte_stream::ByteStream;
use std::time::Duration;

/// The certificate authorities behind AWS's endpoints.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// How long a connection may take to open, TLS included.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// The way to AWS, with its pool of connections. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Connector(SharedHttpConnector);

impl Connector {
    /// Builds it with AWS's certificate authorities, or with the machine's.
    pub(crate) fn new(trusts_the_machine: bool) -> Result<Self, crate::Error> {
        let roots = if trusts_the_machine {
            TrustStore::default()
        } else {
            TrustStore::empty().with_pem_certificate(ROOTS)
        };
        let connector = aws_smithy_http_client::Connector::builder()
            .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
            .sleep_impl(TokioSleep::new())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
            .build();
        Ok(Self(SharedHttpConnector::new(connector)))
    }

    /// Opens a connection that the next call to this address finds in the pool. What goes wrong goes
    /// wrong again with that call, and is told there.
    pub(crate) async fn open(&self, address: &str) {
        let Ok(request) = HttpRequest::get(address) else { return };
        let opening = async {
            let answer = self.0.call(request).await.ok()?;
            // A connection goes back to the pool when its answer has been read to the end.
            ByteStream::new(answer.into_body()).collect().await.ok()
        };
        if tokio::time::timeout(CONNECT, opening).await.is_err() {
            tracing::debug!("a connection was not open in time");
        }
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }
}
