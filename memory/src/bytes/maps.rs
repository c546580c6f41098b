//! The kernel's list of what is mapped, as `/proc/PID/maps` has it.

use super::{Permissions, Region};

/// Reads the list. Lines that are none are left out.
pub(crate) fn parse(text: &[u8]) -> Vec<Region> {
    text.split(|byte| *byte == b'\n').filter_map(|line| region(&String::from_utf8_lossy(line))).collect()
}

fn region(line: &str) -> Option<Region> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start_matches(' ');
        let (word, after) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        rest = after;
        (!word.is_empty()).then_some(word)
    };
    let (start, end) = word()?.split_once('-')?;
    let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
    let may = Permissions::from_letters(word()?);
    let offset = hexadecimal(word()?)?;
    let device = word()?.to_owned();
    let inode = word()?.parse().ok()?;
    // A path may begin with nothing but a slash, and end with anything.
    let path = rest.trim_start_matches(' ');
    let (path, deleted) = match path.strip_suffix(" (deleted)") {
        Some(path) if inode != 0 => (path, true),
        _ => (path, false),
    };
    let path = path.replace("\\012", "\n");
    (start < end).then_some(Region { range: start..end, may, offset, inode, device, path, deleted })
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

/// The mapping that holds this address, in a list by address.
pub(crate) fn find(regions: &[Region], at: u64) -> Option<&Region> {
    let after = regions.partition_point(|region| region.range.start <= at);
    regions.get(after.checked_sub(1)?).filter(|region| region.range.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_names_of_the_kernel_and_nothing_are_told_apart() {
        let text = b"55d0c0a00000-55d0c0a01000 r--p 00001000 08:01 1234                       /opt/a b/orders\n\
            55d0c0b00000-55d0c0b01000 rw-s 00000000 00:0f 77 /tmp/x (deleted)\n\
            7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n\
            7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0                          [stack]\n\
            7ffd00002000-7ffd00001000 rw-p 00000000 00:00 0\n\
            junk\n";
        let regions = parse(text);
        assert_eq!(regions.len(), 4);
        assert_eq!((&*regions[0].path, regions[0].offset, regions[0].inode), ("/opt/a b/orders", 0x1000, 1234));
        assert!(regions[0].may.read() && !regions[0].may.write() && !regions[0].deleted);
        assert!(regions[1].deleted && regions[1].path == "/tmp/x" && regions[1].may.shared());
        assert_eq!((&*regions[2].path, &*regions[3].path), ("", "[stack]"));
        assert_eq!(find(&regions, 0x7f00_0000_0fff).map(|region| region.range.start), Some(0x7f00_0000_0000));
        assert_eq!(find(&regions, 0x7f00_0000_1000), None);
        assert_eq!(find(&regions, 0), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_is_it_is_read(text in proptest::collection::vec(0_u8.., 0..400)) {
            parse(&text);
        }
    }
}
