//! gRPC's framing of a response body, taken apart without holding a message: a byte that says whether the message is
//! compressed, four for its length, the message.
//!
//! tonic's own decoder hands out whole messages, and the first state of a million tasks is one message of 200 MB.

const PREFIX: usize = 5;

/// Where in the body the next byte belongs.
#[derive(Debug)]
enum Place {
    Prefix { bytes: [u8; PREFIX], have: usize },
    Message { left: usize },
}

/// Takes bodies apart.
#[derive(Debug)]
pub(super) struct Deframer {
    limit: usize,
    place: Place,
}

/// A piece of the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A message of this many bytes begins.
    Begin(usize),
    /// Its next bytes.
    Bytes(&'a [u8]),
    /// It is complete.
    End,
}

/// A frame that cannot be accepted. The body is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameError {
    /// Larger than the limit.
    TooLarge { size: usize },
    /// Compressed, which this client never asks for.
    Compressed,
}

impl Deframer {
    /// `limit` is the largest message that is accepted, in bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, place: Place::start() }
    }

    /// Takes the next piece from the front of `chunk`; `None` when the chunk is used up.
    pub(super) fn next<'a>(&mut self, chunk: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        match &mut self.place {
            Place::Message { left: 0 } => {
                self.place = Place::start();
                Ok(Some(Piece::End))
            }
            Place::Message { left } => {
                let (bytes, rest) = chunk.split_at(chunk.len().min(*left));
                *chunk = rest;
                *left -= bytes.len();
                Ok((!bytes.is_empty()).then_some(Piece::Bytes(bytes)))
            }
            Place::Prefix { bytes, have } => {
                let (new, rest) = chunk.split_at(chunk.len().min(PREFIX - *have));
                *chunk = rest;
                bytes[*have..*have + new.len()].copy_from_slice(new);
                *have += new.len();
                if *have < PREFIX {
                    return Ok(None);
                }
                let [compressed, length @ ..] = *bytes;
                let size = u32::from_be_bytes(length) as usize;
                if compressed != 0 {
                    return Err(FrameError::Compressed);
                }
                if size > self.limit {
                    return Err(FrameError::TooLarge { size });
                }
                self.place = Place::Message { left: size };
                Ok(Some(Piece::Begin(size)))
            }
        }
    }
}

impl Place {
    fn start() -> Self {
        Self::Prefix { bytes: [0; PREFIX], have: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The messages of a body that arrives in chunks of this size.
    fn messages(body: &[u8], chunk: usize, limit: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut deframer = Deframer::new(limit);
        let (mut messages, mut message) = (Vec::new(), Vec::new());
        for mut chunk in body.chunks(chunk) {
            while let Some(piece) = deframer.next(&mut chunk)? {
                match piece {
                    Piece::Begin(size) => message = Vec::with_capacity(size),
                    Piece::Bytes(bytes) => message.extend(bytes),
                    Piece::End => messages.push(std::mem::take(&mut message)),
                }
            }
        }
        Ok(messages)
    }

    fn body(messages: &[Vec<u8>]) -> Vec<u8> {
        let frame = |message: &Vec<u8>| {
            let length = (message.len() as u32).to_be_bytes();
            [&[0][..], &length, message].concat()
        };
        messages.iter().flat_map(frame).collect()
    }

    #[test]
    fn what_cannot_be_accepted_is_told_by_its_prefix() {
        let large = messages(&[0, 0, 0, 1, 0], 5, 255);
        assert_eq!(large, Err(FrameError::TooLarge { size: 256 }));
        assert_eq!(messages(&[1, 0, 0, 0, 0], 5, 255), Err(FrameError::Compressed));
        assert_eq!(messages(&[0, 0, 0, 0], 5, 255), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_the_body_is_cut(
            sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
            chunk in 1_usize..60,
        ) {
            prop_assert_eq!(messages(&body(&sent), chunk, 1000), Ok(sent));
        }
    }
}
