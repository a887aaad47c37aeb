//! How is TLS put in front of a faked server?

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::wire::WireServer;

/// Returns the path of a certificate in `tests/fixtures/tls`.
pub fn certificate(name: &str) -> String {
    format!("{}/tests/fixtures/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

/// Answers at a port of its own with the certificate `name` and hands each request on to `server`. Returns the base URL.
pub fn before(server: &WireServer, name: &str) -> String {
    let chain = CertificateDer::from_pem_file(certificate(name)).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate(name).replace(".pem", ".key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(vec![chain], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}/v1", listener.local_addr().unwrap().port());
    let address = server.url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (config, address) = (config.clone(), address.clone());
            std::thread::spawn(move || pass_on(client, config, &address));
        }
    });
    url
}

/// Hands one request on and its answer back. A client that breaks the handshake off has had its answer.
fn pass_on(client: TcpStream, config: Arc<ServerConfig>, address: &str) -> Option<()> {
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    let (mut request, mut bytes) = (Vec::new(), [0; 4096]);
    while !is_whole(&request) {
        let n = client.read(&mut bytes).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&bytes[..n]);
    }
    let mut server = TcpStream::connect(address).ok()?;
    server.write_all(&request).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    client.conn.send_close_notify();
    client.flush().ok()
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split_once("content-length:").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
