//! What is kept: segments, each a frame of zstd, and none of them unless its state is there.

use super::keep::Of;
use std::{collections::VecDeque, io, io::Write as _, sync::Arc};
use zstd::stream::write::Encoder;

const LEVEL: i32 = 3;

/// What was packed is put aside in pieces of about this size.
const PIECE: usize = 64 << 10;

/// What makes a frame of zstd whole that was flushed: an empty block that is the last one.
const LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// How far the segment is that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fill {
    /// It goes on.
    Going,
    /// What came after its state takes as much as that, or enough: the next one is to begin.
    Full,
    /// Its state takes too much to be kept.
    TooLarge,
}

#[derive(Debug, Default)]
struct Segment {
    pieces: Vec<Arc<[u8]>>,
    bytes: usize,
}

impl Segment {
    fn add(&mut self, bytes: &mut Vec<u8>) {
        if !bytes.is_empty() {
            self.bytes += bytes.len();
            self.pieces.push(Arc::from(std::mem::take(bytes)));
        }
    }
}

/// The segment under way.
struct Open {
    encoder: Encoder<'static, Vec<u8>>,
    segment: Segment,
    /// How much its state takes, once that is there.
    state: Option<usize>,
}

impl Open {
    fn begin() -> io::Result<Self> {
        let encoder = Encoder::new(Vec::new(), LEVEL)?;
        Ok(Self { encoder, segment: Segment::default(), state: None })
    }

    /// Puts aside all that was packed.
    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()?;
        self.segment.add(self.encoder.get_mut());
        Ok(())
    }

    fn page(&mut self, page: &[u8], of: Of) -> io::Result<()> {
        if of == Of::Changes && self.state.is_none() {
            self.flush()?;
            self.state = Some(self.segment.bytes);
        }
        self.encoder.write_all(page)?;
        if self.encoder.get_ref().len() >= PIECE {
            self.segment.add(self.encoder.get_mut());
        }
        Ok(())
    }
}

/// The segments, the oldest first.
pub(super) struct Window {
    most: usize,
    ended: VecDeque<Segment>,
    open: Option<Open>,
    bytes: usize,
    fill: Fill,
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        Self { most, ended: VecDeque::new(), open: None, bytes: 0, fill: Fill::Going }
    }

    /// Another segment begins.
    pub(super) fn begin(&mut self) {
        if let Some(mut open) = self.open.take()
            && let Ok(mut rest) = open.encoder.finish()
            && self.fill != Fill::TooLarge
        {
            open.segment.add(&mut rest);
            self.bytes += open.segment.bytes;
            self.ended.push_back(open.segment);
        }
        // Where no memory is to be had for packing, nothing is kept until the next one.
        self.open = Open::begin().ok();
        self.fill = Fill::Going;
        self.make_room();
    }

    /// The next page of it. One that follows none is left out.
    pub(super) fn page(&mut self, page: &[u8], of: Of) {
        let Some(open) = self.open.as_mut().filter(|_| self.fill != Fill::TooLarge) else { return };
        if open.page(page, of).is_err() {
            self.open = None;
            return;
        }
        let state = open.state.unwrap_or(open.segment.bytes);
        self.fill = if state > self.most / 3 {
            Fill::TooLarge
        } else if open.segment.bytes - state >= state.max(self.most / 16) {
            Fill::Full
        } else {
            Fill::Going
        };
        if self.fill == Fill::TooLarge {
            // What was kept before is of no use without what comes after it.
            (self.open, self.bytes) = (None, 0);
            self.ended.clear();
        }
        self.make_room();
    }

    pub(super) fn fill(&self) -> Fill {
        self.fill
    }

    /// Whether the segment under way has all of its state.
    pub(super) fn has_state(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.state.is_some())
    }

    /// Lets go of the oldest segments where there is too much.
    fn make_room(&mut self) {
        let open = self.open.as_ref().map_or(0, |open| open.segment.bytes);
        while self.bytes + open > self.most
            && let Some(oldest) = self.ended.pop_front()
        {
            self.bytes -= oldest.bytes;
        }
    }

    /// All of it: whole frames.
    pub(super) fn all(&mut self) -> io::Result<Vec<Arc<[u8]>>> {
        let mut all: Vec<_> = self.ended.iter().flat_map(|segment| &segment.pieces).cloned().collect();
        if let Some(open) = &mut self.open {
            open.flush()?;
            all.extend(open.segment.pieces.iter().cloned());
            all.push(Arc::from(LAST_BLOCK));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

    const MOST: usize = 1 << 20;

    /// A page that nothing can be saved of.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut page = vec![0; length];
        StdRng::seed_from_u64(seed).fill(&mut page[..]);
        page
    }

    /// What each whole frame says.
    fn frames(window: &mut Window) -> Vec<Vec<u8>> {
        let all = window.all().unwrap().concat();
        let mut left = &all[..];
        let mut frames = Vec::new();
        while !left.is_empty() {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&mut left).unwrap().single_frame();
            let mut frame = Vec::new();
            io::Read::read_to_end(&mut decoder, &mut frame).unwrap();
            frames.push(frame);
        }
        frames
    }

    #[test]
    fn what_is_told_in_the_midst_of_a_segment_is_whole_and_the_segment_goes_on() {
        let mut window = Window::new(MOST);
        assert!(frames(&mut window).is_empty());
        window.begin();
        window.page(b"state", Of::State);
        assert_eq!(frames(&mut window), [b"state"]);
        window.page(b", more", Of::Changes);
        assert_eq!(frames(&mut window), [b"state, more"]);
        window.begin();
        window.page(b"another", Of::State);
        assert_eq!(frames(&mut window), [&b"state, more"[..], b"another"]);
    }

    #[test]
    fn the_oldest_segments_go_as_a_whole() {
        let mut window = Window::new(MOST);
        for number in 0..200 {
            window.begin();
            window.page(&noise(number, 16 << 10), Of::State);
            let mut pages = 0;
            while window.fill() == Fill::Going {
                pages += 1;
                window.page(&noise(1_000 * number + pages, 16 << 10), Of::Changes);
            }
            assert_eq!(window.fill(), Fill::Full);
            let told: usize = window.all().unwrap().iter().map(|piece| piece.len()).sum();
            assert!(told <= MOST + MOST / 16 + PIECE, "{told}");
        }
        let kept = frames(&mut window);
        assert!(kept.len() > 4, "{}", kept.len());
        assert!(
            kept.iter()
                .zip(200 - kept.len() as u64..)
                .all(|(frame, number)| frame.starts_with(&noise(number, 16 << 10)))
        );
    }

    #[test]
    fn a_state_that_is_too_large_leaves_nothing_and_a_smaller_one_begins_anew() {
        let mut window = Window::new(MOST);
        window.begin();
        window.page(b"state", Of::State);
        window.begin();
        let mut pages = 0;
        while window.fill() == Fill::Going {
            pages += 1;
            window.page(&noise(pages, 32 << 10), Of::State);
        }
        assert_eq!(window.fill(), Fill::TooLarge);
        assert!(frames(&mut window).is_empty());
        window.begin();
        window.page(b"state", Of::State);
        assert_eq!(frames(&mut window), [b"state"]);
    }
}
