//! TLS: from two PEM files to something that accepts connections.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The name of HTTP/2 in the negotiation.
pub const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// Reads the files and checks that they fit together, so that a wrong one is told at the start and not to the first client.
pub fn acceptor(chain_file: &Path, key_file: &Path) -> Result<TlsAcceptor> {
    let chain = chain(chain_file)?;
    let key = PrivateKeyDer::from_pem_file(key_file).with_context(|| {
        format!(
            "cannot read the private key in {}; --tls-key wants one in PEM, without a passphrase",
            key_file.display()
        )
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| {
            let (chain, key) = (chain_file.display(), key_file.display());
            format!("{chain} and {key} do not work together; the key must belong to the first certificate")
        })?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let explanation = || {
        format!(
            "cannot read the certificates in {}; --tls-cert wants them in PEM, the server's own first",
            file.display()
        )
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .with_context(explanation)?;
    ensure!(!chain.is_empty(), "{}: there is none in it", explanation());
    Ok(chain)
}
