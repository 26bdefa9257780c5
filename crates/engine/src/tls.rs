//! What failed in TLS, in words that somebody understands who has certificates and no TLS library. Which failures are TLS's is
//! told apart in `wire`.

use rustls::{AlertDescription, CertificateError, Error};

use crate::error::one_line;

/// Why, without a full stop.
pub(crate) fn in_words(error: &Error) -> String {
    let words = match error {
        Error::InvalidCertificate(why) => return of_theirs(why),
        Error::AlertReceived(alert) => of_ours(*alert),
        Error::InvalidMessage(_) => Some("what answers there does not speak TLS"),
        Error::PeerIncompatible(_) => Some("both sides have no version or cipher of TLS in common"),
        Error::NoCertificatesPresented => Some("the engine shows no certificate"),
        _ => None,
    };
    words.map_or_else(|| one_line(&error.to_string()), str::to_owned)
}

/// The engine's certificate was refused here.
fn of_theirs(why: &CertificateError) -> String {
    let words = match why {
        // The second where another authority has the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that is trusted here (ca.pem) signed the engine's certificate"
        }
        CertificateError::NotValidForName => "the engine's certificate is for another name",
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let (names, asked) = (names.join(", "), expected.to_str());
            return one_line(&format!("the engine's certificate is for {names}, not for {asked}"));
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the engine's certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the engine's certificate is not valid yet; the clock here may be wrong"
        }
        CertificateError::Revoked => "the engine's certificate was revoked",
        CertificateError::BadEncoding => "the engine's certificate cannot be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the engine's certificate is not for a server"
        }
        // Of the library below, whose type is not public here; the word is its own.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the engine's certificate is that of an authority, and an authority cannot be a server: it needs one of its own, signed \
             by that authority"
        }
        _ => "the engine's certificate is not accepted here",
    };
    words.to_owned()
}

/// A name as it stands in a certificate, out of `DnsName("builder")`.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

/// The engine refused, and said why.
fn of_ours(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "the engine wants a certificate of ours (cert.pem and key.pem), and got none"
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => "the engine does not accept our certificate (cert.pem)",
        AlertDescription::UnknownCA => "no authority that the engine trusts signed our certificate (cert.pem)",
        AlertDescription::CertificateExpired => "our certificate (cert.pem) has expired",
        AlertDescription::CertificateRevoked => "our certificate (cert.pem) was revoked",
        AlertDescription::AccessDenied => "the engine knows our certificate (cert.pem) and lets it do nothing",
        AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion => {
            "both sides have no version or cipher of TLS in common"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("CaUsedAsEndEntity")]
    struct CaUsedAsEndEntity;

    #[test]
    fn each_failure_says_what_is_wrong_and_no_type_of_a_library() {
        let theirs = Error::InvalidCertificate;
        let name = "localhost".try_into().unwrap();
        let presented = vec!["DnsName(\"builder\")".to_owned()];
        let table = [
            (theirs(CertificateError::UnknownIssuer), "trusted here (ca.pem)"),
            (theirs(CertificateError::NotValidForNameContext { expected: name, presented }), "not for localhost"),
            (theirs(CertificateError::Expired), "expired"),
            (theirs(CertificateError::Other(OtherError(Arc::new(CaUsedAsEndEntity)))), "cannot be a server"),
            (theirs(CertificateError::UnhandledCriticalExtension), "not accepted here"),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "cert.pem and key.pem"),
            (Error::AlertReceived(AlertDescription::UnknownCA), "that the engine trusts"),
            (Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), "does not speak TLS"),
        ];
        for (error, words) in table {
            let told = in_words(&error);
            assert!(told.contains(words), "{told}");
            for leak in ["Other", "CaUsed", "UnknownIssuer", "DnsName", "Context", "\""] {
                assert!(!told.contains(leak), "{told}");
            }
        }
    }
}
