//! Programs that are smaller by a step, to find the smallest of which something false is said.

use super::program::{Program, Step, What};

/// All programs that this one becomes where one step is left out, with what is inside of it or without.
pub(crate) fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for number in 0..program.steps {
        for how in [Inside::Dropped, Inside::Kept] {
            let mut program = program.clone();
            let mut left_out = false;
            for task in &mut program.tasks {
                left_out |= leave_out(&mut task.body, number, how);
            }
            if left_out {
                all.push(program);
            }
        }
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Dropped,
    Kept,
}

fn leave_out(block: &mut Vec<Step>, number: usize, how: Inside) -> bool {
    if let Some(at) = block.iter().position(|step| step.number == number) {
        let step = block.remove(at);
        let inside: Vec<Step> = step.what.blocks().into_iter().flatten().cloned().collect();
        if how == Inside::Kept {
            let is_there = !inside.is_empty() && !matches!(step.what, What::Spawn { .. });
            block.splice(at..at, inside);
            return is_there;
        }
        return true;
    }
    block.iter_mut().any(|step| blocks_mut(&mut step.what).into_iter().any(|block| leave_out(block, number, how)))
}

fn blocks_mut(what: &mut What) -> Vec<&mut Vec<Step>> {
    match what {
        What::Hold { body, after, .. } | What::Reserve { body, after, .. } => vec![body, after],
        What::Spawn { body, .. } | What::Timeout { body, .. } => vec![body],
        What::Both { left, right } => vec![left, right],
        What::Either { branches } => branches.iter_mut().map(|branch| &mut branch.body).collect(),
        What::Start { first, rest, .. } => vec![first, rest],
        What::Keep { .. } | What::Give { .. } | What::Take { .. } | What::Sleep(_) | What::Join { .. } => Vec::new(),
    }
}
