//! What the first bytes of a connection say. Whoever does not speak HTTP/2 is found out before anything is made for it.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// With this every HTTP/2 client begins (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// With this every TLS client begins (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hello {
    /// HTTP/2: all of [`PREFACE`] was read.
    Http2,
    /// Most likely the older HTTP: letters that are not those of the preface.
    Http1,
    /// TLS, where none is spoken.
    Tls,
    /// Nothing that is known here, or too little of it.
    Other,
}

/// Reads until it is known.
pub(super) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Hello> {
    let mut bytes = [0; PREFACE.len()];
    let mut length = 0;
    while length < bytes.len() {
        let read = io.read(&mut bytes[length..]).await?;
        length += read;
        let said = &bytes[..length];
        if read == 0 || !PREFACE.starts_with(said) {
            return Ok(match said.first() {
                Some(b'A'..=b'Z') if read > 0 => Hello::Http1,
                Some(&HANDSHAKE) if read > 0 => Hello::Tls,
                _ => Hello::Other,
            });
        }
    }
    Ok(Hello::Http2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    async fn said(mut bytes: &[u8]) -> Hello {
        read(&mut bytes).await.expect("it can be read")
    }

    #[tokio::test]
    async fn protocols_are_told_apart() {
        assert_eq!(said(PREFACE).await, Hello::Http2);
        assert_eq!(said(&PREFACE[..23]).await, Hello::Other);
        assert_eq!(said(b"").await, Hello::Other);
        assert_eq!(said(&[0x16, 3, 1, 2, 0]).await, Hello::Tls);
    }

    #[tokio::test]
    async fn the_preface_may_come_byte_by_byte() {
        let (mut near, mut far) = tokio::io::duplex(1);
        let (hello, written) = tokio::join!(read(&mut far), near.write_all(PREFACE));
        written.expect("all of it is read");
        assert_eq!(hello.expect("it can be read"), Hello::Http2);
    }

    #[tokio::test]
    async fn the_older_http_is_known_by_its_first_word() {
        for request in ["GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n", "PUT /"] {
            assert_eq!(said(request.as_bytes()).await, Hello::Http1, "{request}");
        }
    }
}
