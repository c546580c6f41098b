//! One `Update` message → pages, while its bytes arrive.
//!
//! The first state of a million tasks is one message of 200 MB. It is never held: the walker follows the message's
//! structure down to its entries (a task, the state of a resource), decodes each as soon as its last byte is there, and
//! hands out pages. It holds one unfinished entry and one unfinished page, both bounded.
//!
//! It knows the shape of the message and not what is in an entry: that is [`entry`](super::entry)'s.

use super::{
    entry::{Entry, Section},
    protobuf::{Payload, Read, read_field},
};
use crate::model::{
    Stamp,
    update::{Part, Update},
};

/// A page ends with this many entries,
const PAGE_ENTRIES: usize = 1024;

/// or with the entry that takes it to this many bytes of the message,
const PAGE_BYTES: usize = 1024 * 1024;

/// and an entry of more than this is skipped unread.
const MAX_ENTRY: usize = 4 * 1024 * 1024;

/// Where the walk is, and what it has found since the last page.
#[derive(Debug, Default)]
pub(super) struct Walker {
    /// The length of the message, and how far the walk has come.
    length: usize,
    position: usize,
    /// The part of the message that the walk is inside, and where it ends.
    section: Option<(Section, usize)>,
    /// Everything up to here is passed over.
    skip_to: usize,
    /// Bytes that have arrived and not been walked over: less than one entry.
    pending: Vec<u8>,
    now: Option<Stamp>,
    page: Update,
    entries: usize,
    bytes: usize,
}

enum Step {
    /// This many bytes have been walked over; more may follow.
    Walked(usize),
    /// What is next is not complete.
    Starved,
}

impl Walker {
    /// Starts a message of this many bytes.
    pub(super) fn begin(&mut self, length: usize) {
        *self = Self { length, pending: std::mem::take(&mut self.pending), ..Self::default() };
        self.pending.clear();
    }

    /// Walks over the message's next bytes, and adds every page that is full to `pages`.
    pub(super) fn feed(&mut self, bytes: &[u8], pages: &mut Vec<Update>) {
        if self.pending.is_empty() {
            let walked = self.walk(bytes, pages);
            self.pending.extend_from_slice(&bytes[walked..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            pending.extend_from_slice(bytes);
            let walked = self.walk(&pending, pages);
            pending.drain(..walked);
            self.pending = pending;
        }
    }

    /// The target's time, once the message has said it.
    pub(super) fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// The page so far, for when waiting for it to fill would make a user wait.
    pub(super) fn flush(&mut self) -> Option<Update> {
        (self.entries > 0).then(|| self.take_page(Part::More))
    }

    /// The message is complete: its last page. Before the last byte was fed, this would be a page too many.
    pub(super) fn end(&mut self) -> Update {
        if self.position < self.length {
            self.page.issues.malformed += 1;
        }
        self.take_page(Part::Last)
    }

    fn walk(&mut self, bytes: &[u8], pages: &mut Vec<Update>) -> usize {
        let mut walked = 0;
        while let Step::Walked(more) = self.step(&bytes[walked..]) {
            self.position += more;
            walked += more;
            if self.entries >= PAGE_ENTRIES || self.bytes >= PAGE_BYTES {
                pages.push(self.take_page(Part::More));
            }
        }
        walked
    }

    fn step(&mut self, bytes: &[u8]) -> Step {
        if self.position < self.skip_to {
            return match bytes.len().min(self.skip_to - self.position) {
                0 => Step::Starved,
                skipped => Step::Walked(skipped),
            };
        }
        if self.section.is_some_and(|(_, end)| end == self.position) {
            self.section = None;
        }
        let (section, end) = self.section.unzip();
        let left = end.unwrap_or(self.length) - self.position;
        if left == 0 {
            return Step::Starved;
        }
        let window = &bytes[..bytes.len().min(left)];
        let (field, header) = match read_field(window) {
            Read::Field(field, header) => (field, header),
            Read::Incomplete if window.len() < left => return Step::Starved,
            Read::Incomplete | Read::Malformed => return self.give_up(),
        };
        let after = left - header;
        match field.payload {
            Payload::Varint(value) => {
                if let Some(section) = section {
                    section.count(field.number, value, &mut self.page.dropped);
                }
                Step::Walked(header)
            }
            Payload::Bytes(length) if length > after as u64 => self.give_up(),
            Payload::Bytes(length) => {
                let length = length as usize;
                match (section, Section::at(field.number)) {
                    (None, Some(inner)) => {
                        self.section = Some((inner, self.position + header + length));
                        Step::Walked(header)
                    }
                    _ => self.take_entry(Entry::at(section, field.number), header, length, window),
                }
            }
            Payload::Fixed(length) if length > after => self.give_up(),
            Payload::Fixed(length) => self.skip(header + length),
        }
    }

    fn take_entry(&mut self, entry: Option<Entry>, header: usize, length: usize, window: &[u8]) -> Step {
        let whole = header + length;
        let Some(entry) = entry else {
            return self.skip(whole);
        };
        if length > MAX_ENTRY {
            self.page.issues.too_large += 1;
            return self.skip(whole);
        }
        let Some(bytes) = window.get(header..whole) else {
            return Step::Starved;
        };
        entry.decode(bytes, &mut self.now, &mut self.page);
        self.entries += 1;
        self.bytes += whole;
        Step::Walked(whole)
    }

    fn skip(&mut self, length: usize) -> Step {
        self.skip_to = self.position + length;
        Step::Walked(0)
    }

    /// What is here is not protobuf, and without knowing its length there is no way to find what follows it.
    fn give_up(&mut self) -> Step {
        self.page.issues.malformed += 1;
        self.section = None;
        self.skip_to = self.length;
        Step::Walked(0)
    }

    fn take_page(&mut self, part: Part) -> Update {
        (self.entries, self.bytes) = (0, 0);
        let page = std::mem::take(&mut self.page);
        Update { now: self.now, part, ..page }
    }
}

#[cfg(test)]
mod tests;
