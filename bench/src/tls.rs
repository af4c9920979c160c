//! A certificate authority of the bench's own, made anew for each run, and a server certificate for
//! loopback. The programs are told to trust it; the limit program speaks no TLS.

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What servers show and programs trust.
pub(crate) struct Authority {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM.
    pub(crate) file: PathBuf,
}

/// Makes an authority and a certificate for 127.0.0.1.
pub(crate) fn authority(folder: &Path) -> Result<Authority> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "Throughline bench authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key)?;
    let file = folder.join("authority.pem");
    std::fs::write(&file, own.pem()).with_context(|| format!("cannot write {}", file.display()))?;
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names)?.signed_by(&server_key, &issuer)?;
    let chain = vec![CertificateDer::from(server.der().to_vec())];
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private)?;
    Ok(Authority { acceptor: TlsAcceptor::from(Arc::new(config)), file })
}
