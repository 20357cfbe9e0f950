//! Encrypted connections: rustls, with certificates that are always verified.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::Roots;
use crate::error::{Error, Result};

/// What makes a connection an encrypted one.
///
/// # Errors
///
/// [`Error::File`] for a file of authorities that cannot be read, [`Error::DataFile`] for one without any.
pub(super) fn connector(roots: &Roots) -> Result<MakeRustlsConnect> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Public => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::File(path) => {
            let fail = |source| Error::File { action: "cannot read", path: path.clone(), source };
            let text = std::fs::read(path).map_err(fail)?;
            let found: Vec<_> = CertificateDer::pem_slice_iter(&text).flatten().collect();
            if store.add_parsable_certificates(found).0 == 0 {
                let problem = "it holds no certificate of an authority".into();
                return Err(Error::DataFile { kind: "PEM", path: path.clone(), problem });
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(|source| Error::Database {
        action: "cannot encrypt connections to",
        database: "the server".into(),
        source: Box::new(source),
    })?;
    let config = config.with_root_certificates(store).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
