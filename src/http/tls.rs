//! TLS: the certificate that the service shows, exchanged while it runs.
//!
//! What surprises: connections are never closed for a new certificate. Each handshake takes the one that is there; what was shaken on
//! before goes on.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;

/// Where a certificate and its key are kept, as PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both, and makes sure that they belong together.
    fn read(&self) -> Result<CertifiedKey, String> {
        let TlsFiles { certificate, key } = self;
        let unreadable = |path: &PathBuf, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(certificate, &error))?;
        if chain.is_empty() {
            return Err(unreadable(certificate, &"it holds no PEM certificate"));
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
        let certified = CertifiedKey::from_der(chain, secret, &default_provider());
        certified.map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))
    }
}

/// The certificate that is shown now.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    pub(super) fn read(files: &TlsFiles) -> Result<Certificate, String> {
        Ok(Certificate { files: files.clone(), current: ArcSwap::from_pointee(files.read()?) })
    }

    /// Takes what the files hold now; where it cannot be used, the one before stays.
    pub(super) fn reload(&self) -> Result<(), String> {
        self.current.store(Arc::new(self.files.read()?));
        Ok(())
    }

    /// How TLS is spoken with it: versions 1.2 and 1.3.
    pub(super) fn speaking(self: Arc<Certificate>) -> Result<ServerConfig, String> {
        let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        Ok(versions.with_no_client_auth().with_cert_resolver(self))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}
