//! A real TLS engine: a scripted one behind a port that wants certificates from both sides.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use silidock_engine::{
    ConnectOptions, Endpoint, Engine, EngineError, FindError, TlsMaterial, docker_variables, init, recorded, resolve,
};
use silidock_host::FixtureHost;
use silidock_testkit::ScriptedEngine;
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

type Authority = Issuer<'static, KeyPair>;

/// An authority, its certificate as PEM and as DER.
fn authority() -> (Authority, String, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (pem, der) = (certificate.pem(), certificate.der().to_vec());
    (Issuer::new(params, key), pem, der)
}

/// A certificate for a name and its key.
fn signed(name: &str, authority: &Authority) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate, key)
}

/// Opens a TLS port in front of a socket, for the name `localhost`.
async fn guard(socket: &Path, authority: &Authority, authority_der: Vec<u8>) -> u16 {
    let mut roots = RootCertStore::empty();
    roots.add(authority_der.into()).unwrap();
    let (certificate, key) = signed("localhost", authority);
    let config = ServerConfig::builder()
        .with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = socket.to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, socket) = (acceptor.clone(), socket.clone());
            tokio::spawn(async move {
                // A refused client sees its own side; that is what is looked at.
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = UnixStream::connect(socket).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn certificates_decide_on_both_sides() {
    init();
    init();
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let (trusted, trusted_pem, trusted_der) = authority();
    let (_, other_pem, _) = authority();
    let port = guard(engine.socket(), &trusted, trusted_der).await;
    let (certificate, key) = signed("ada", &trusted);

    let root = tempfile::tempdir().unwrap();
    let ours: &[(&str, String)] = &[("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())];
    let table = [
        ("good", Some(&trusted_pem), ours, None),
        ("nobody", Some(&trusted_pem), &[], Some("wants a certificate of ours")),
        ("stranger", Some(&other_pem), ours, Some("no authority that is trusted here")),
        ("bare", None, ours, Some("no authority that is trusted here")),
    ];
    for (name, ca, ours, failure) in table {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        for (file, content) in ours.iter().cloned().chain(ca.map(|ca| ("ca.pem", ca.clone()))) {
            fs::write(folder.join(file), content).unwrap();
        }
        let host = FixtureHost::new(root.path())
            .with_env("DOCKER_HOST", &format!("tcp://localhost:{port}"))
            .with_env("DOCKER_TLS_VERIFY", "1")
            .with_env("DOCKER_CERT_PATH", &folder.display().to_string());
        match (Engine::find(&host, None, ConnectOptions::default()).await, failure) {
            (Ok(client), None) => {
                assert!(client.containers().await.unwrap().items.is_empty());
                let variables = docker_variables(client.target());
                for (name, value) in [
                    ("DOCKER_HOST", format!("tcp://localhost:{port}")),
                    ("DOCKER_TLS_VERIFY", "1".to_owned()),
                    ("DOCKER_CERT_PATH", folder.display().to_string()),
                    ("DOCKER_CONTEXT", String::new()),
                ] {
                    assert!(variables.contains(&(name.to_owned(), value)), "{name}: {variables:?}");
                }
                // As a receipt has it, and without the variables.
                let (address, bare) = (client.target().endpoint.to_string(), FixtureHost::new(root.path()));
                let again = recorded(&bare, &address, client.target().endpoint.tls_folder()).unwrap();
                assert_eq!(again.endpoint, client.target().endpoint);
                Engine::connect(&again, ConnectOptions::default()).await.unwrap();
            }
            (Err(FindError::Connect { error: EngineError::Tls { why, .. }, .. }), Some(word)) => {
                assert!(why.contains(word), "{name}: {why}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
    let material = TlsMaterial { skip_verify: true, ..TlsMaterial::default() };
    let endpoint = Endpoint::Tls { host: "localhost".to_owned(), port, material };
    let mut target = resolve(&FixtureHost::new(root.path()), Some("/x.sock")).unwrap();
    target.endpoint = endpoint;
    let error = Engine::connect(&target, ConnectOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("asks to skip verification"), "{error}");
    assert_eq!(engine.count("/version"), 2, "only the one with good certificates got through");
}
