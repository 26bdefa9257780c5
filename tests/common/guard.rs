//! A TLS port in front of a real engine that wants certificates from both sides, as `dockerd --tlsverify` does.

use std::{fs, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    net::{TcpListener, UnixStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer,
        server::WebPkiClientVerifier,
    },
};

/// The port; it is shut when this goes.
pub struct Guard {
    pub port: u16,
    _serving: Runtime,
}

impl Guard {
    /// In front of `endpoint` (`unix://`), for the name `localhost`. What a client needs is written into `folder`, as the Docker command wants it.
    pub fn new(endpoint: &str, folder: &Path) -> Self {
        let socket = endpoint.strip_prefix("unix://").unwrap().to_owned();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
        };
        let ((server, server_key), (ours, our_key)) = (signed("localhost"), signed("ada"));
        fs::create_dir(folder).unwrap();
        for (name, text) in
            [("ca.pem", authority.pem()), ("cert.pem", ours.pem()), ("key.pem", our_key.serialize_pem())]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server.der().clone()], PrivateKeyDer::Pkcs8(server_key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serving = Runtime::new().unwrap();
        let listener = serving.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, socket) = (acceptor.clone(), socket.clone());
                tokio::spawn(async move {
                    // A refused client sees its own side.
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let Ok(mut inside) = UnixStream::connect(socket).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { port, _serving: serving }
    }
}
