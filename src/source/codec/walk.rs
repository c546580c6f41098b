//! One message → pages of an update, while its bytes arrive.
//!
//! The first state of a million tasks is one message of 200 MB. It is never held: the walker follows the message's
//! structure down to its entries (a task, the state of a resource), decodes each as soon as its last byte is there, and
//! hands out pages. It holds one unfinished entry and one unfinished page, both bounded.
//!
//! It is the same for every format; what a message is made of, and what is in an entry, is a [`Schema`]'s.

use super::protobuf::{Payload, Read, read_field};
use crate::update::{Part, Stamp, Update};

/// A page ends with this many entries,
const PAGE_ENTRIES: usize = 1024;

/// or with the entry that takes it to this many bytes of the message,
const PAGE_BYTES: usize = 1024 * 1024;

/// What the messages of a format are made of.
pub(in crate::source) trait Schema: Default + std::fmt::Debug {
    /// A part that is decoded in one go.
    type Entry: Copy;

    /// An entry of more than this is skipped unread.
    const MAX_ENTRY: usize;

    /// What has this number in a section, or in the message itself.
    fn at(section: Option<u64>, number: u64) -> Shape<Self::Entry>;

    /// Takes in a plain number.
    fn number(&mut self, section: Option<u64>, number: u64, value: u64, page: &mut Update);

    /// Decodes an entry onto the page; the target's time goes to `now`.
    fn decode(&mut self, entry: Self::Entry, bytes: &[u8], now: &mut Option<Stamp>, page: &mut Update);

    /// The message is complete, and this is its last page: where that stands in its update.
    fn end(&mut self, page: &mut Update) -> Part;
}

/// What a field with a length holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Shape<E> {
    /// Entries.
    Section,
    /// One entry.
    Entry(E),
    /// Something that this version does not know.
    Unknown,
}

/// Where the walk is, and what it has found since the last page.
#[derive(Debug, Default)]
pub(in crate::source) struct Walker<S> {
    schema: S,
    /// The length of the message, and how far the walk has come.
    length: usize,
    position: usize,
    /// The part of the message that the walk is inside, and where it ends.
    section: Option<(u64, usize)>,
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

impl<S: Schema> Walker<S> {
    /// Starts a message of this many bytes.
    pub(in crate::source) fn begin(&mut self, length: usize) {
        let (schema, pending) = (std::mem::take(&mut self.schema), std::mem::take(&mut self.pending));
        *self = Self { schema, length, pending, ..Self::default() };
        self.pending.clear();
    }

    /// Walks over the message's next bytes, and adds every page that is full to `pages`.
    pub(in crate::source) fn feed(&mut self, bytes: &[u8], pages: &mut Vec<Update>) {
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
    pub(in crate::source) fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// The page so far, for when waiting for it to fill would make a user wait.
    pub(in crate::source) fn flush(&mut self) -> Option<Update> {
        (self.entries > 0).then(|| self.take_page(Part::More))
    }

    /// The message is complete: its last page. Before the last byte was fed, this would be a page too many.
    pub(in crate::source) fn end(&mut self) -> Update {
        if self.position < self.length {
            self.page.issues.malformed += 1;
        }
        let part = self.schema.end(&mut self.page);
        self.take_page(part)
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
                self.schema.number(section, field.number, value, &mut self.page);
                Step::Walked(header)
            }
            Payload::Bytes(length) if length > after as u64 => self.give_up(),
            Payload::Bytes(length) => {
                let length = length as usize;
                match S::at(section, field.number) {
                    Shape::Section => {
                        self.section = Some((field.number, self.position + header + length));
                        Step::Walked(header)
                    }
                    Shape::Entry(entry) => self.take_entry(entry, header, length, window),
                    Shape::Unknown => self.skip(header + length),
                }
            }
            Payload::Fixed(length) if length > after => self.give_up(),
            Payload::Fixed(length) => self.skip(header + length),
        }
    }

    fn take_entry(&mut self, entry: S::Entry, header: usize, length: usize, window: &[u8]) -> Step {
        let whole = header + length;
        if length > S::MAX_ENTRY {
            self.page.issues.too_large += 1;
            return self.skip(whole);
        }
        let Some(bytes) = window.get(header..whole) else {
            return Step::Starved;
        };
        self.schema.decode(entry, bytes, &mut self.now, &mut self.page);
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
