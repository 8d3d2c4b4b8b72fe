//! One request and the status of its answer, by HTTP/1.1.
//!
//! A stream needs nothing of an answer but its status: the body may hold secrets of another system, so it is never kept or
//! shown. So this is no general client. It sends one request per connection and says so (`Connection: close`).

use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// The most headers of an answer.
const MAX_HEADERS: usize = 128;
/// As much of the body of an answer is read and dropped. A connection that is closed before would end in a reset, which the
/// other side may take for a failure.
const MAX_BODY: u64 = 64 * 1024;
/// How long the body of an answer is waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The head of a final answer.
struct Head {
    status: u16,
    /// The bytes of the body that are still to come, as far as the head says it.
    body: Option<u64>,
}

/// Sends a request, head and body, and returns the status of the answer. The error is a text for administrators.
///
/// It reads while it sends: a server may answer before it has read all of the body, and close.
pub async fn exchange<S: AsyncRead + AsyncWrite>(stream: S, request: &str, body: &[u8]) -> Result<u16, String> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let send = async {
        writer.write_all(request.as_bytes()).await?;
        writer.write_all(body).await?;
        writer.flush().await
    };
    let head = {
        let receive = head_of(&mut reader);
        match select(pin!(receive), pin!(send)).await {
            Either::Left((head, _)) => head,
            Either::Right((Ok(()), receive)) => receive.await,
            // It may have answered before it closed.
            Either::Right((Err(error), receive)) => {
                receive.await.map_err(|_| format!("closed the connection while the message was sent: {error}"))
            }
        }?
    };
    // The status is known: whatever follows changes nothing.
    let rest = head.body.unwrap_or(MAX_BODY).min(MAX_BODY);
    let mut rest = reader.take(rest);
    let mut sink = tokio::io::sink();
    let drained = timeout(BODY_TIMEOUT, tokio::io::copy(&mut rest, &mut sink)).await;
    tracing::trace!(bytes = drained.ok().and_then(Result::ok), "dropped the body of an answer");
    Ok(head.status)
}

/// Reads up to the end of the head of the final answer.
async fn head_of(reader: &mut (impl AsyncRead + Unpin)) -> Result<Head, String> {
    let mut read: Vec<u8> = Vec::new();
    loop {
        match parsed(&read)? {
            Some((head, length)) if (100..200).contains(&head.status) && head.status != 101 => {
                // An interim answer; the final one follows.
                read.drain(..length);
                continue;
            }
            Some((head, length)) => {
                let got = u64::try_from(read.len() - length).unwrap_or(u64::MAX);
                return Ok(Head { body: head.body.map(|body| body.saturating_sub(got)), ..head });
            }
            None => {}
        }
        if read.len() >= MAX_HEAD {
            return Err(format!("answered with a head of more than {MAX_HEAD} bytes"));
        }
        let mut part = [0; 2048];
        let length = match reader.read(&mut part).await {
            Ok(length) => length,
            // An end without the close of TLS.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(format!("gave no answer: {error}")),
        };
        if length == 0 {
            return Err("closed the connection before it answered".to_owned());
        }
        read.extend(part.iter().take(length));
    }
}

/// The head at the beginning of these bytes, and its length; `None` if it is not complete.
fn parsed(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let no_http = |error: httparse::Error| format!("answered with something that is not HTTP/1.1: {error}");
    let httparse::Status::Complete(length) = answer.parse(bytes).map_err(no_http)? else { return Ok(None) };
    let Some(status) = answer.code else { return Err("answered without a status".to_owned()) };
    let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let said = header.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
    let body = if matches!(status, 204 | 304) { Some(0) } else { said };
    Ok(Some((Head { status, body }, length)))
}
