//! What a recorder makes, as a file: what comes before and after each segment, and the index at the end.

use super::{
    Error, Header, Out,
    frame::{self, Kind},
    message::{SegmentHead, SegmentTail},
};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Where a segment stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) head: SegmentHead,
    pub(super) tail: SegmentTail,
}

/// The index of a file, which is its last part where it was closed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) segments: Vec<Entry>,
}

/// Writes a recording.
pub struct Writer<W> {
    to: W,
    written: u64,
    /// The segment that has begun, and where.
    open: Option<(SegmentHead, u64)>,
    index: Index,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub fn new(to: W, header: &Header) -> Result<Self, Error> {
        let mut writer = Self { to, written: 0, open: None, index: Index::default() };
        writer.write(&frame::write(Kind::Header, header)?)?;
        Ok(writer)
    }

    /// Writes what a recorder made. Of a segment that has not begun in this file nothing is written.
    pub fn put(&mut self, out: Out) -> Result<(), Error> {
        match out {
            Out::Begin(head) => {
                self.write(&frame::write(Kind::Head, &head)?)?;
                self.open = Some((head, self.written));
            }
            Out::Bytes(bytes) if self.open.is_some() => self.write(&bytes)?,
            Out::Bytes(_) => {}
            Out::End(tail) => {
                let Some((head, offset)) = self.open.take() else { return Ok(()) };
                let length = self.written - offset;
                self.write(&frame::write(Kind::Tail, &tail)?)?;
                self.index.segments.push(Entry { offset, length, head, tail });
            }
        }
        Ok(())
    }

    /// Writes the index, and lets go of the file.
    pub fn finish(mut self) -> Result<W, Error> {
        let index = frame::write(Kind::Index, &self.index)?;
        self.write(&index)?;
        self.to.flush()?;
        Ok(self.to)
    }

    /// How many bytes it has.
    pub fn written(&self) -> u64 {
        self.written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.to.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}
