//! Random texts that are put wherever a text can stand, and looked for.

use crate::update::Event;
use serde_json::Value;
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
};

/// So many letters a canary has, and so many in a row are looked for.
const LETTERS: usize = 16;
const PART: usize = 6;

/// So many digits of base64 are that.
const DIGITS: usize = 8;

/// So many decimal digits in a row are looked for, which no mark has.
const NUMBERS: usize = 10;

/// The number that stands for a canary where a text is to have one.
pub(super) fn number(canary: &str) -> String {
    canary.bytes().map(|letter| char::from(b'0' + letter % 10)).collect()
}

/// What was put somewhere.
#[derive(Default)]
pub(super) struct Canaries {
    all: Vec<String>,
    key: RandomState,
}

impl Canaries {
    pub(super) fn another(&mut self) -> String {
        let [low, high] = [0, 1].map(|half| self.key.hash_one((self.all.len(), half)));
        let random = u128::from(high) << 64 | u128::from(low);
        let letters = (0..LETTERS).scan(random, |rest, _| {
            let letter = b'A' + (*rest % 26) as u8;
            *rest /= 26;
            Some(char::from(letter))
        });
        self.all.push(letters.collect());
        self.all.last().cloned().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Those of which any part can be found, or of their numbers: as it is, in UTF-16, in base64.
    pub(super) fn found(&self, haystack: &[u8]) -> Vec<String> {
        let mut plain: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut encoded: HashMap<Vec<u8>, usize> = HashMap::new();
        for (which, canary) in self.all.iter().enumerate() {
            for (text, part) in [(canary.clone(), PART), (number(canary), NUMBERS)] {
                plain.extend(text.as_bytes().windows(part).map(|part| (part.to_vec(), which)));
                for before in 0..3 {
                    let text = [vec![b'x'; before], text.as_bytes().to_vec()].concat();
                    // What is of the canary alone.
                    let digits = base64(&text);
                    let own = (before * 8).div_ceil(6)..text.len() * 8 / 6;
                    encoded.extend(digits[own].windows(DIGITS).map(|part| (part.to_vec(), which)));
                }
            }
        }
        // Every second byte of UTF-16 in either order is the text.
        let [even, odd] = [0, 1].map(|from| haystack.iter().skip(from).step_by(2).copied().collect::<Vec<u8>>());
        let texts = [haystack, &even, &odd];
        let parts = texts.into_iter().flat_map(|text| text.windows(PART).chain(text.windows(NUMBERS)));
        let in_plain = parts.filter_map(|part| plain.get(part));
        let in_base64 = haystack.windows(DIGITS).filter_map(|part| encoded.get(part));
        let mut found: Vec<usize> = in_plain.chain(in_base64).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|which| self.all[which].clone()).collect()
    }
}

fn base64(text: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.chunks(3).flat_map(|three| {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize])
    });
    digits.collect()
}

/// An event with another canary in each place that takes any text.
pub(super) fn plant(event: &Event, form: fn(&str) -> String, canaries: &mut Canaries) -> Event {
    let mut json = serde_json::to_value(event).unwrap();
    for place in texts(&json, "") {
        let text = json.pointer_mut(&place).unwrap();
        let before = std::mem::replace(text, Value::String(form(&canaries.another())));
        // What is no text, such as a kind, takes none.
        if serde_json::from_value::<Event>(json.clone()).is_err() {
            *json.pointer_mut(&place).unwrap() = before;
            canaries.all.pop();
        }
    }
    serde_json::from_value(json).unwrap()
}

/// Where texts stand.
fn texts(json: &Value, at: &str) -> Vec<String> {
    match json {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(n, inside)| texts(inside, &format!("{at}/{n}"))).collect()
        }
        Value::Object(all) => all.iter().flat_map(|(name, inside)| texts(inside, &format!("{at}/{name}"))).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_canary_is_found_in_any_part_and_form() {
    let mut canaries = Canaries::default();
    let [one, other] = [(); 2].map(|()| canaries.another());
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let found = |haystack: &[u8]| canaries.found(haystack).concat();
    assert_eq!(found(&one.as_bytes()[4..10]), one);
    assert_eq!(found(&utf16(&other[2..9])), other);
    assert_eq!(found(&[b"x".to_vec(), utf16(&other[2..9])].concat()), other);
    for before in ["", "a", "ab", "abc"] {
        assert_eq!(found(&base64(format!("{before}{other}--").as_bytes())), other);
    }
    assert_eq!(found(&one.as_bytes()[4..9]), "");
    assert_eq!(found(&number(&other).as_bytes()[3..13]), other);
    assert_eq!(found(&number(&other).as_bytes()[3..12]), "");
    assert_eq!(found(b"nothing of it"), "");
}
