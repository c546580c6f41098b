//! Stalls and stacks, as text.

use super::words::{plain, span, task_of};
use crate::{capture::Stack, clock::Nanos, runtimes, stalls::record::Stall};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// Frames of a stack that are told.
const FRAMES: usize = 64;

/// Those that last and the latest of those that are over.
pub(super) fn all(out: &mut dyn Write, stalls: &[Stall], now: Nanos) -> io::Result<()> {
    let (lasting, over): (Vec<&Stall>, Vec<&Stall>) = stalls.iter().partition(|stall| stall.ended_at.is_none());
    writeln!(out, "\nstalls: {} last, {} of those before are known", lasting.len(), over.len())?;
    for stall in lasting.into_iter().chain(over.into_iter().rev()) {
        let lasted = stall.ended_at.unwrap_or(now).since(stall.since);
        let ago = stall.ended_at.map_or_else(String::new, |ended| format!(", over {} ago", span(now.since(ended))));
        writeln!(
            out,
            "  worker {} of {}, thread {} (tid {}): {} in one poll of {}{ago}; {}",
            stall.worker,
            plain(&runtimes::label(stall.runtime)),
            plain(&stall.thread),
            stall.tid,
            span(lasted),
            task_of(stall.task),
            cause(stall),
        )?;
        write!(out, "{}", stack(stall.stack.as_deref(), "    "))?;
    }
    Ok(())
}

/// What a stalled thread does, in words.
pub(crate) fn cause(stall: &Stall) -> String {
    let call = match (&*stall.system_call, &*stall.kernel_function) {
        ("", "") => String::new(),
        ("", function) => format!(" (in {})", plain(function)),
        (call, _) => format!(" ({})", plain(call)),
    };
    match stall.cause {
        Some(cause) => format!("{}{call}", cause.in_words()),
        None if stall.limitation.is_empty() => "what its thread does is not known".into(),
        None => format!("what its thread does is not known: {}", stall.limitation),
    }
}

/// A stack, a line for each function, or a line that says why there is none.
pub(crate) fn stack(stack: Option<&Stack>, indent: &str) -> String {
    let Some(stack) = stack else { return format!("{indent}its stack is not captured yet\n") };
    let mut text = String::new();
    for frame in stack.frames.iter().take(FRAMES) {
        let function = match &*frame.function {
            "" if frame.offset == 0 => format!("{:#x} in {}", frame.address, plain(&frame.module)),
            "" => format!("{}+{:#x}", plain(&frame.module), frame.offset),
            name => plain(name).to_string(),
        };
        let place =
            if frame.file.is_empty() { String::new() } else { format!("  {}:{}", plain(&frame.file), frame.line) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{indent}{function}{place}");
    }
    if stack.frames.len() > FRAMES {
        let _ = writeln!(text, "{indent}and {} more", stack.frames.len() - FRAMES);
    }
    if !stack.limitation.is_empty() {
        let _ = writeln!(text, "{indent}({})", stack.limitation);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use holdup_stack::frame::Frame;
    use std::sync::Arc;

    fn frame(function: &str, line: u32) -> Frame {
        Frame {
            function: function.into(),
            file: if line > 0 { "src/report.rs".into() } else { "".into() },
            line,
            column: 1,
            address: 0x1234,
            offset: 0,
            module: "orders".into(),
            inlined: false,
        }
    }

    #[test]
    fn a_stack_is_a_line_for_each_function_and_says_what_is_missing() {
        let known = Stack {
            frames: vec![frame("report::render", 88), frame("", 0), Frame { offset: 0x34, ..frame("", 0) }],
            approximate: false,
            captured_at: clock::now(),
            executable: Arc::default(),
            limitation: "the rest is not known".into(),
        };
        assert_eq!(
            stack(Some(&known), "  "),
            "  report::render  src/report.rs:88\n  0x1234 in orders\n  orders+0x34\n  (the rest is not known)\n"
        );
        assert_eq!(stack(None, ""), "its stack is not captured yet\n");
        let deep = Stack { frames: vec![frame("a", 1); 70], limitation: String::new(), ..known };
        assert!(stack(Some(&deep), "").ends_with("\nand 6 more\n"));
    }
}
