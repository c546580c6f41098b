//! Bytes that are damaged, each time in another place and the same from run to run, and given to what reads them.

use nix::time::{ClockId, clock_gettime};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// For how long each of the tests goes on, in seconds, unless `HOLDUP_FUZZ` says for how many.
const TIME: u64 = 4;
/// So many times in any case, however busy the machine is.
const LEAST: usize = 4;
/// How much time of processors one file may take: a machine that does something else as well makes it wait, which is no fault.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn damage(numbers: &mut Numbers, good: &[u8], places: &[Range<usize>]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let place = &places[numbers.below(places.len())];
    for _ in 0..=numbers.below(40) {
        // Close together as often as far apart.
        let at = place.start + numbers.below(place.len());
        for (offset, _) in (0..=numbers.below(4)).enumerate() {
            if let Some(byte) = bytes.get_mut(at + offset) {
                *byte = match numbers.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => *byte ^ (1 << numbers.below(8)),
                    _ => numbers.below(256) as u8,
                };
            }
        }
    }
    if numbers.below(10) == 0 {
        bytes.truncate(numbers.below(good.len()));
    }
    bytes
}

/// Time of processors that this process has used.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// For how long to go on.
fn time() -> Duration {
    let asked = std::env::var("HOLDUP_FUZZ").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(asked.unwrap_or(TIME))
}

/// Where the numbers begin: with the same ones, unless `HOLDUP_FUZZ_SEED` says something else.
fn seed() -> u64 {
    let asked: Option<u64> = std::env::var("HOLDUP_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    0x9e37_79b9_7f4a_7c15 ^ asked.unwrap_or(0).rotate_left(32)
}

/// What is being read. Where that panics, it is kept in a file.
struct UnderWay(Vec<u8>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let path = std::env::temp_dir().join(format!("holdup-fuzz-{}", std::process::id()));
            let kept = std::fs::write(&path, &self.0);
            eprintln!("what was read is in {}: {kept:?}", path.display());
        }
    }
}

/// Gives what is made to what reads it, for a while.
fn give(mut make: impl FnMut(&mut Numbers) -> Vec<u8>, read: impl Fn(&[u8])) {
    let (start, lasting, mut numbers, mut times) = (Instant::now(), time(), Numbers(seed()), 0);
    while start.elapsed() < lasting || times < LEAST {
        let bytes = UnderWay(make(&mut numbers));
        let before = used();
        read(&bytes.0);
        let took = used().saturating_sub(before);
        assert!(took < LONGEST, "the one after {times} others took {took:?}");
        times += 1;
    }
    println!("{times} times in {:?}", start.elapsed());
}

/// Damages what is good in these places, and gives it to what reads it, for a while.
#[allow(dead_code, reason = "each test binary uses a part of this")]
pub(crate) fn go_on(good: &[u8], places: &[Range<usize>], read: fn(&[u8])) {
    give(|numbers| damage(numbers, good, places), read);
}

/// Damages one of these, moves parts of it about and puts parts of others into it, and gives that to what reads it, for a while.
#[allow(dead_code, reason = "each test binary uses a part of this")]
pub(crate) fn mix(corpus: &[Vec<u8>], read: impl Fn(&[u8])) {
    for good in corpus {
        read(good);
    }
    give(|numbers| mixed(numbers, corpus), read);
}

/// Some of these messages, in any order and more than once, most of them damaged, each in the frame that gRPC has it in.
#[allow(dead_code, reason = "each test binary uses a part of this")]
pub(crate) fn frames(messages: &[Vec<u8>], read: impl Fn(&[u8])) {
    let frame = |message: &[u8]| [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat();
    for message in messages {
        read(&frame(message));
    }
    give(
        |numbers| {
            let mut bytes = Vec::new();
            let first = numbers.below(messages.len());
            for next in 0..=numbers.below(11) {
                // Mostly as they came, so that what one says is about what the ones before it said.
                let whole = match numbers.below(4) {
                    0 => &messages[numbers.below(messages.len())],
                    _ => &messages[(first + next) % messages.len()],
                };
                bytes.extend(match numbers.below(5) {
                    0 | 1 => frame(whole),
                    2 => frame(&mixed(numbers, messages)),
                    _ if whole.is_empty() => frame(whole),
                    _ => frame(&damage(numbers, whole, std::slice::from_ref(&(0..whole.len())))),
                });
            }
            bytes
        },
        read,
    );
}

fn mixed(numbers: &mut Numbers, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let until = at + numbers.below((bytes.len() - at).min(64) + 1);
        let other = &corpus[numbers.below(corpus.len())];
        let from = numbers.below(other.len() + 1);
        let part = &other[from..from + numbers.below((other.len() - from).min(256) + 1)];
        match numbers.below(6) {
            0 => drop(bytes.drain(at..until)),
            1 => drop(bytes.splice(at..until, part.iter().copied())),
            2 => drop(bytes.splice(at..at, part.iter().copied())),
            3 => {
                let again = bytes[at..until].repeat(1 + numbers.below(40));
                drop(bytes.splice(at..at, again));
            }
            _ if bytes.is_empty() => bytes.push(numbers.below(256) as u8),
            _ => bytes = damage(numbers, &bytes, &[at.min(bytes.len() - 1)..bytes.len(), 0..bytes.len()]),
        }
    }
    bytes
}
