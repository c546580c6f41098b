//! Frames of HTTP/2 (RFC 9113), as bytes.

/// What a connection begins with, and settings that ask for as much as there is: the other side may send two gigabytes unread.
pub(crate) fn greedy() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut settings = 4_u16.to_be_bytes().to_vec();
    settings.extend(0x7fff_ffff_u32.to_be_bytes());
    bytes.extend(frame(4, 0, 0, &settings));
    bytes.extend(frame(8, 0, 0, &0x7ffe_0000_u32.to_be_bytes()));
    bytes
}

/// The same with the settings that all have: 64 KiB for each stream, and for all.
pub(crate) fn plain() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes
}

/// A call without an argument.
pub(crate) fn call(stream: u32, path: &str, authority: &str) -> Vec<u8> {
    // POST and http, of the static table; then names of it, with values as they are.
    let mut head = vec![0x83, 0x86];
    for (name, value) in [(&[0x04][..], path), (&[0x01], authority), (&[0x0f, 0x10], "application/grpc")] {
        head.extend_from_slice(name);
        head.push(value.len() as u8);
        head.extend_from_slice(value.as_bytes());
    }
    head.extend_from_slice(b"\x00\x02te\x08trailers");
    let mut bytes = frame(1, 0x4, stream, &head);
    bytes.extend(frame(0, 0x1, stream, &[0; 5]));
    bytes
}

/// The beginning of a head that never ends, and a part of it that can be sent for ever.
pub(crate) fn endless_head() -> (Vec<u8>, Vec<u8>) {
    // A header field: one letter, and 100 bytes.
    let mut field = b"\x00\x01x\x64".to_vec();
    field.extend([b'y'; 100]);
    let mut begin = plain();
    begin.extend(frame(1, 0, 1, &field));
    (begin, frame(9, 0, 1, &field.repeat(100)))
}

/// The answers to whatever pings are in these bytes, which must be whole frames from their first one on; and how many bytes those are.
pub(crate) fn pongs(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut answers, mut at) = (Vec::new(), 0);
    while let Some(&[a, b, c, kind, flags, ..]) = bytes.get(at..at + 9) {
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let Some(payload) = bytes.get(at + 9..at + 9 + length) else { break };
        if kind == 6 && flags & 1 == 0 {
            answers.extend(frame(6, 1, 0, payload));
        }
        if kind == 4 && flags & 1 == 0 {
            answers.extend(frame(4, 1, 0, &[]));
        }
        at += 9 + length;
    }
    (answers, at)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_are_answered_and_what_is_not_whole_is_left() {
        let ping = frame(6, 0, 0, &[7; 8]);
        let mut bytes = frame(0, 0, 1, &[0; 300]);
        bytes.extend(&ping);
        let whole = bytes.len();
        bytes.extend(&ping[..12]);
        assert_eq!(pongs(&bytes), (frame(6, 1, 0, &[7; 8]), whole));
    }
}
