//! Which authorities are believed about a gateway: those of the system, or those of a file alone.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Certificates of authorities.
pub(crate) type Authorities = Vec<CertificateDer<'static>>;

/// Those of a file's text (PEM), or of the system where none is named; `None` where there is not one.
pub(crate) fn read(pem: Option<&str>) -> Option<Authorities> {
    let found: Authorities = match pem {
        Some(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<_, _>>().ok()?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    // Without any, every certificate is refused; for the system's that is found when it matters.
    (pem.is_none() || !found.is_empty()).then_some(found)
}
