//! A stack that was copied, as unwinding sees it.

/// What unwinding starts from. The frame pointer and the return address of a sleeping thread are not told by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// The program counter.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The frame pointer.
    pub fp: Option<u64>,
    /// The link register, where the processor has one.
    pub lr: Option<u64>,
}

/// Registers, and the stack from the stack pointer up.
#[derive(Debug, Clone, Copy)]
pub struct StackCopy<'a> {
    /// As they were when the stack was copied.
    pub registers: Registers,
    /// From the stack pointer up, as far as it was copied.
    pub bytes: &'a [u8],
}

impl StackCopy<'_> {
    /// The word of the stack at `address`, where the copy has it.
    pub fn word(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.registers.sp)?).ok()?;
        let word = self.bytes.get(offset..offset.checked_add(8)?)?;
        Some(u64::from_ne_bytes(word.try_into().ok()?))
    }

    /// Where the copy ends, as an address of the stack.
    pub fn end(&self) -> u64 {
        self.registers.sp.saturating_add(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_outside_of_the_copy_is_none() {
        let registers = Registers { pc: 1, sp: 1000, fp: None, lr: None };
        let copy = StackCopy { registers, bytes: &[1; 16] };
        assert_eq!(copy.word(1000), Some(0x0101_0101_0101_0101));
        assert!(copy.word(1008).is_some());
        assert_eq!((copy.word(1009), copy.word(999), copy.word(u64::MAX)), (None, None, None));
        assert_eq!(copy.end(), 1016);
    }
}
