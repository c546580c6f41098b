//! Span ids. Those that are minted here can be told from the inner subscriber's by one bit, so that no table is asked whose
//! a span is.
//!
//! The registry of `tracing-subscriber` makes its ids from a `sharded-slab`, with its default configuration: one more than
//! an index whose lowest 38 bits are an address within one shard, followed by the shard's and the slot's numbers. A shard has
//! 32 pages; the first has 32 slots and each next one twice as many, so that all pages together have 32 × (2³² - 1) slots,
//! and the highest address is 2³⁷ - 33: bit 37 of an index is never set. (Where `usize` has 32 bits, neither is any bit from
//! 32 on.) A subscriber that counts its spans gets there after 2³⁷ of them; one that makes ids otherwise, from pointers
//! perhaps, may set the bit at once: whose such a span is, [`crate::collect`] notes.

/// What a span of ours is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing that is kept.
    Inert = 0,
    Task = 1,
    Resource = 2,
    Op = 3,
}

/// A span of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ours {
    pub(crate) kind: Kind,
    /// Of its slot.
    pub(crate) index: u32,
    /// Tells the users of one slot apart, see [`super::lifetime`].
    pub(crate) stamp: u64,
}

/// The bit of an index that no registry sets.
const MARK: u64 = 1 << 37;

const PAGES: u32 = 32;
const FIRST_PAGE: u64 = 32;
const _: () = assert!(FIRST_PAGE * ((1 << PAGES) - 1) <= MARK, "an address of the registry could reach the mark");

const KIND_BITS: u32 = 2;
/// Slots of one kind: 2 to the power of this.
pub(crate) const INDEX_BITS: u32 = 25;
const LOW_BITS: u32 = 37 - KIND_BITS - INDEX_BITS;
/// Bits of a stamp.
pub(crate) const STAMP_BITS: u32 = 26 + LOW_BITS;

/// The id of every span that nothing is kept of.
pub(crate) const INERT: u64 = MARK + 1;

/// The id of a span of ours; never 0.
#[inline]
pub(crate) fn encode(span: Ours) -> u64 {
    let low = span.stamp & ((1 << LOW_BITS) - 1);
    let high = span.stamp >> LOW_BITS;
    let raw = (high << 38)
        | MARK
        | (low << (KIND_BITS + INDEX_BITS))
        | (u64::from(span.index) << KIND_BITS)
        | span.kind as u64;
    // Wraps for none: the highest raw value needs a stamp, an index and a kind that are all ones, and no arena is that large.
    raw + 1
}

/// What an id of ours says; `None` for an id that is not ours.
#[inline]
pub(crate) fn decode(id: u64) -> Option<Ours> {
    let raw = id.checked_sub(1)?;
    (raw & MARK != 0).then_some(())?;
    let kind = match raw & 3 {
        1 => Kind::Task,
        2 => Kind::Resource,
        3 => Kind::Op,
        _ => Kind::Inert,
    };
    let index = (raw >> KIND_BITS) as u32 & ((1 << INDEX_BITS) - 1);
    let low = (raw >> (KIND_BITS + INDEX_BITS)) & ((1 << LOW_BITS) - 1);
    Some(Ours { kind, index, stamp: ((raw >> 38) << LOW_BITS) | low })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_core::Subscriber as _;

    #[test]
    fn what_is_encoded_is_decoded() {
        for kind in [Kind::Inert, Kind::Task, Kind::Resource, Kind::Op] {
            for index in [0, 1, 12_345, (1 << INDEX_BITS) - 2] {
                for stamp in [0, 1, 1023, 1024, (1 << STAMP_BITS) - 1] {
                    let span = Ours { kind, index, stamp };
                    assert_eq!(decode(encode(span)), Some(span));
                }
            }
        }
        assert_eq!(decode(INERT), Some(Ours { kind: Kind::Inert, index: 0, stamp: 0 }));
    }

    #[test]
    fn an_id_of_the_registry_is_not_ours() {
        let registry = tracing_subscriber::registry();
        for round in 0..10_000 {
            let span =
                tracing::dispatcher::with_default(&tracing::Dispatch::new(tracing_subscriber::registry()), || {
                    tracing::info_span!("theirs", round)
                });
            let id = span.id().expect("the registry takes every span");
            assert_eq!(decode(id.into_u64()), None);
        }
        assert!(registry.current_span().id().is_none());
        assert_eq!(decode(0), None, "an absent id is nobody's");
        // The highest index in a shard, with every bit of shard and generation set.
        let highest = (1_u64 << 37) - 33;
        assert_eq!(decode((highest | !((1 << 38) - 1)).wrapping_add(1)), None);
    }
}
