//! As much HTTP/1.1 as an engine needs: one question per connection.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::broadcast::error::RecvError;

use crate::script::{Answer, Script};

const LONGEST_HEAD: usize = 64 * 1024;

pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(script: &Script, stream: &mut S) -> io::Result<()> {
    // A connection without a question is someone looking whether anybody listens.
    let Some(head) = read_head(stream).await? else { return Ok(()) };
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match script.ask(method, target) {
        Answer::Json(value) => whole(stream, 200, value.to_string().as_bytes()).await,
        Answer::Body { status, body } => whole(stream, status, &body).await,
        Answer::Error { status, message } => {
            let body = serde_json::json!({ "message": message }).to_string();
            whole(stream, status, body.as_bytes()).await
        }
        Answer::Raw(bytes) => stream.write_all(&bytes).await,
        Answer::Silent => std::future::pending().await,
        Answer::Cut { sent, promised } => {
            begin(stream, 200, promised).await?;
            stream.write_all(&sent).await?;
            stream.shutdown().await
        }
        Answer::Stall { sent } => {
            begin(stream, 200, sent.len() + 1).await?;
            stream.write_all(&sent).await?;
            stream.flush().await?;
            std::future::pending().await
        }
        Answer::HangUp => Ok(()),
        Answer::Events => events(script, stream).await,
    }
}

/// The head; `None` when the client closes before it ends.
pub(crate) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece).await?;
        if length == 0 || head.len() > LONGEST_HEAD {
            return Ok(None);
        }
        head.extend_from_slice(&piece[..length]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

async fn begin<S: AsyncWrite + Unpin>(stream: &mut S, status: u16, length: usize) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await
}

async fn whole<S: AsyncWrite + Unpin>(stream: &mut S, status: u16, body: &[u8]) -> io::Result<()> {
    begin(stream, status, body.len()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

async fn events<S: AsyncRead + AsyncWrite + Unpin>(script: &Script, stream: &mut S) -> io::Result<()> {
    let mut listener = script.listen();
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head).await?;
    let mut ignored = [0; 64];
    loop {
        let event = tokio::select! {
            event = listener.events.recv() => event,
            read = stream.read(&mut ignored) => match read? {
                0 => return Ok(()),
                _ => continue,
            },
        };
        match event {
            Ok(line) => {
                let chunk = format!("{:x}\r\n{line}\n\r\n", line.len() + 1);
                stream.write_all(chunk.as_bytes()).await?;
                stream.flush().await?;
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}
