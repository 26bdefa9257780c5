//! Connections: short questions and answers, then a longer stretch one way. The other side is a thread of this program,
//! or the same program in a partner container.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use silidock_probe::size::QUESTIONS;
use silidock_probe::{Reply, SERVE_PORT};

use super::Load;

const QUESTION: usize = 64;
const STRETCH: usize = 256 * 1024;

/// A partner that does not answer for so long is gone.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn prepare(peer: Option<&str>) -> Result<Box<dyn Load>, String> {
    let address = match peer {
        Some(peer) => {
            let address = peer.parse().map_err(|error| format!("{peer} is no address: {error}"))?;
            SocketAddr::new(address, SERVE_PORT)
        }
        None => {
            let told = |error: io::Error| format!("the loopback: {error}");
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(told)?;
            let address = listener.local_addr().map_err(told)?;
            // It ends when this side closes its connection.
            thread::spawn(move || listener.accept().and_then(|(stream, _)| answer(stream)));
            address
        }
    };
    let told = move |error: io::Error| format!("{address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(told)?;
    let ready = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
    ready.and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(told)?;
    let stretch = vec![1; STRETCH];
    Ok(super::fallible(move || talk(&mut stream, &stretch).map_err(told)))
}

fn talk(stream: &mut TcpStream, stretch: &[u8]) -> io::Result<u64> {
    let mut sum = 0;
    for number in 0..QUESTIONS {
        let mut piece = [number as u8; QUESTION];
        stream.write_all(&piece)?;
        stream.read_exact(&mut piece)?;
        sum += u64::from(piece[0]);
    }
    stream.write_all(stretch)?;
    let mut counted = [0; 8];
    stream.read_exact(&mut counted)?;
    Ok(sum + u64::from_le_bytes(counted))
}

/// The other side, until the connection closes.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut question = [0; QUESTION];
    let mut stretch = vec![0; STRETCH];
    loop {
        for _ in 0..QUESTIONS {
            stream.read_exact(&mut question)?;
            question[0] = question[0].wrapping_add(1);
            stream.write_all(&question)?;
        }
        stream.read_exact(&mut stretch)?;
        let sum: u64 = stretch.iter().map(|byte| u64::from(*byte)).sum();
        stream.write_all(&sum.to_le_bytes())?;
    }
}

/// Says that it listens, and answers whoever connects, until its input ends.
pub fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, SERVE_PORT))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    serde_json::to_writer(&mut output, &Reply::Done)?;
    output.write_all(b"\n")?;
    output.flush()?;
    io::copy(&mut input, &mut io::sink()).map(drop)
}
