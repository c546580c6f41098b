//! A recording as a file: where its segments are, whatever became of it. It may have been cut anywhere, be damaged in the middle, or still be written.

use super::{
    Error,
    frame::{self, Found, Kind, Part},
    message::{FORMAT, Header, SegmentHead, SegmentTail},
    segment::{self, Extent, Segment},
    writer::{Entry, Index},
};
use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

/// What is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Segments of which nothing can be believed.
    pub segments: u64,
    /// Messages that could not be used.
    pub messages: u64,
    /// Bytes that belong to nothing.
    pub bytes: u64,
}

/// What of a segment could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unused {
    /// So many messages.
    Messages(u64),
    /// Nothing of it can be believed.
    All,
}

const NOTHING: Unused = Unused::Messages(0);

/// Where a segment stands, and what is told of it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    offset: u64,
    length: u64,
    extent: Extent,
    /// What of it could not be used when it was last unpacked.
    unused: Unused,
    pub(super) head: SegmentHead,
    pub(super) tail: Option<SegmentTail>,
}

/// What a recording is read from.
trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A recording that is open.
pub struct Recording {
    source: Box<dyn Source>,
    header: Header,
    segments: Vec<Place>,
    /// How far it was gone through: up to a part that is not complete.
    walked: u64,
    /// A segment's head whose segment has not begun yet.
    head: Option<SegmentHead>,
    is_closed: bool,
    /// What was found damaged on the way.
    damage: Damage,
    size: u64,
}

impl Recording {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::NoRecording);
        }
        Self::read_from(BufReader::new(file))
    }

    /// Opens what was written, wherever it is.
    pub fn read_from(source: impl Read + Seek + Send + 'static) -> Result<Self, Error> {
        Self::read(Box::new(source))
    }

    fn read(mut source: Box<dyn Source>) -> Result<Self, Error> {
        let size = source.seek(SeekFrom::End(0))?;
        let Found::Part(Part::Ours(Kind::Header, payload), length) = frame::look(&mut source, 0, size)? else {
            return Err(Error::NoRecording);
        };
        let header: Header = frame::read(&payload).ok_or(Error::NoRecording)?;
        if header.format > FORMAT {
            return Err(Error::Newer(header.format));
        }
        let mut recording = Self {
            source,
            header,
            segments: Vec::new(),
            walked: length,
            head: None,
            is_closed: false,
            damage: Damage::default(),
            size,
        };
        if !recording.read_index()? {
            recording.walk()?;
        }
        Ok(recording)
    }

    /// What it is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it was closed: otherwise it is still written, or whoever wrote it was ended.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What of it could not be used so far. Segments are looked at when they are shown.
    pub fn damage(&self) -> Damage {
        self.segments.iter().fold(self.damage, |damage, place| match place.unused {
            Unused::Messages(more) => Damage { messages: damage.messages + more, ..damage },
            Unused::All => Damage { segments: damage.segments + 1, ..damage },
        })
    }

    /// The segments, in their order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = (&SegmentHead, Option<&SegmentTail>)> {
        self.segments.iter().map(|place| (&place.head, place.tail.as_ref()))
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.segments
    }

    /// Looks for what was written since. Whether there is more.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let before = self.size;
        self.size = self.source.seek(SeekFrom::End(0))?;
        if self.is_closed || self.size == before {
            return Ok(false);
        }
        self.walk()?;
        Ok(true)
    }

    /// Unpacks a segment. `None` where nothing of it can be believed, which is counted.
    pub(super) fn load(&mut self, number: usize) -> Result<Option<Segment>, Error> {
        let Some(place) = self.segments.get(number) else { return Ok(None) };
        let (offset, extent) = (place.offset, place.extent);
        let length = if extent == Extent::Open { self.size.saturating_sub(offset) } else { place.length };
        let mut bytes = Vec::new();
        self.source.seek(SeekFrom::Start(offset))?;
        (&mut self.source).take(length).read_to_end(&mut bytes)?;
        let segment = segment::unpack(&bytes, extent);
        if let Some(place) = self.segments.get_mut(number) {
            place.unused = segment.as_ref().map_or(Unused::All, |segment| Unused::Messages(segment.unread));
        }
        Ok(segment)
    }

    /// Reads the index, which is the last part of a file that was closed.
    fn read_index(&mut self) -> Result<bool, Error> {
        let Some(at) = frame::last(&mut self.source, self.size)? else { return Ok(false) };
        let Found::Part(Part::Ours(Kind::Index, payload), _) = frame::look(&mut self.source, at, self.size)? else {
            return Ok(false);
        };
        let Some(index) = frame::read::<Index>(&payload) else { return Ok(false) };
        let place = |entry: Entry| {
            let Entry { offset, length, head, tail } = entry;
            let is_inside = offset.checked_add(length).is_some_and(|end| end <= at);
            is_inside.then_some(Place {
                offset,
                length,
                extent: Extent::Whole,
                unused: NOTHING,
                head,
                tail: Some(tail),
            })
        };
        let Some(segments) = index.segments.into_iter().map(place).collect() else { return Ok(false) };
        self.segments = segments;
        self.walked = self.size;
        self.is_closed = true;
        Ok(true)
    }

    /// Goes through what was not gone through yet.
    fn walk(&mut self) -> Result<(), Error> {
        // A segment that had no end may have one by now.
        if let Some(open) = self.segments.pop_if(|place| place.extent == Extent::Open) {
            self.head = Some(open.head);
        }
        loop {
            match frame::look(&mut self.source, self.walked, self.size)? {
                Found::Part(part, length) => {
                    self.note(part, length);
                    self.walked += length;
                }
                Found::Open => {
                    self.add(self.size - self.walked, Extent::Open);
                    return Ok(());
                }
                Found::End => return Ok(()),
                Found::Nonsense => {
                    let next = frame::resume(&mut self.source, self.walked + 1, self.size)?;
                    let next = next.unwrap_or(self.size);
                    // A segment whose blocks make no sense.
                    self.damage.segments += u64::from(self.head.take().is_some());
                    self.damage.bytes += next - self.walked;
                    self.walked = next;
                }
            }
        }
    }

    fn note(&mut self, part: Part, length: u64) {
        match part {
            Part::Ours(Kind::Head, payload) => self.head = frame::read(&payload),
            Part::Ours(Kind::Tail, payload) => {
                if let Some(last) = self.segments.last_mut().filter(|place| place.offset + place.length == self.walked)
                {
                    last.tail = frame::read(&payload);
                }
            }
            Part::Ours(Kind::Index, _) => self.is_closed = self.walked + length == self.size,
            Part::Compressed => self.add(length, Extent::Whole),
            Part::Ours(Kind::Header, _) | Part::Foreign => {}
        }
    }

    fn add(&mut self, length: u64, extent: Extent) {
        if let Some(head) = self.head.take() {
            self.segments.push(Place { offset: self.walked, length, extent, unused: NOTHING, head, tail: None });
        }
    }
}
