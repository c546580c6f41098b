//! Who took the permits of a semaphore, or of a channel's room, and who gave them back.
//!
//! Tokio tells, on the thread that does it, of what is taken out of the pool, of what is given back to it, and of what is handed on to one
//! who waits. A permit has no name: whoever takes one may hand it to another, who gives it back. So an account says what somebody took and
//! did not give back, and no more than that. `try_acquire`, `try_send`, `forget` and the like are not told. Three things follow.
//!
//! - Where somebody gives back what they never took, what the others took may be in other hands: nothing is told of that until all is back.
//! - Where more is given back than was ever taken, some is taken or made in ways that are not told: nothing is told from then on.
//! - Whoever gives room of a channel back without having taken any receives from it.

use crate::{
    clock::Nanos,
    view::{Permits, Taken},
};

/// Accounts of one semaphore. A channel has one for each sender; with more, who took what is not told.
const ACCOUNTS: usize = 64;

/// Those that give back what they did not take are kept up to this many, the latest ones.
const GIVERS: usize = 4;

/// What is known of the permits of one semaphore.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    first: u64,
    /// Taken, and not given back.
    out: u64,
    accounts: Vec<Taken>,
    /// Some are not in `accounts`, or not in the hands of those who stand there.
    is_open: bool,
    /// Some were taken or made in ways that are not told.
    is_untold: bool,
    givers: Vec<u64>,
    returned: Option<Nanos>,
}

impl Ledger {
    /// For a new semaphore, with so many permits.
    pub(crate) fn reset(&mut self, first: u64) {
        let (mut accounts, mut givers) = (std::mem::take(&mut self.accounts), std::mem::take(&mut self.givers));
        accounts.clear();
        givers.clear();
        *self = Self { first, accounts, givers, ..Self::default() };
    }

    /// A task takes some; 0 stands for none.
    pub(crate) fn take(&mut self, task: u64, permits: u64, now: Nanos) {
        self.out += permits;
        if permits == 0 || self.is_untold {
            return;
        }
        if let Some(account) = self.accounts.iter_mut().find(|account| account.task == task) {
            account.permits += permits;
        } else if self.accounts.len() < ACCOUNTS {
            self.accounts.push(Taken { task, permits, since: now });
        } else {
            self.is_open = true;
        }
    }

    /// A task gives some back.
    pub(crate) fn give_back(&mut self, task: u64, permits: u64, now: Nanos) {
        self.returned = Some(now);
        self.is_untold |= permits > self.out;
        self.out = self.out.saturating_sub(permits);
        let at = self.accounts.iter().position(|account| account.task == task);
        match at.and_then(|at| Some((at, self.accounts.get_mut(at)?))) {
            Some((at, account)) if account.permits == permits => drop(self.accounts.swap_remove(at)),
            Some((_, account)) if account.permits > permits => account.permits -= permits,
            _ => {
                self.is_open = true;
                self.gives(task);
            }
        }
        if self.out == 0 {
            self.accounts.clear();
            self.is_open = false;
        }
    }

    /// The latest one is the last.
    fn gives(&mut self, task: u64) {
        if self.givers.last() == Some(&task) {
            return;
        }
        self.givers.retain(|&giver| giver != task);
        if self.givers.len() == GIVERS {
            self.givers.remove(0);
        }
        self.givers.push(task);
    }

    pub(crate) fn view(&self) -> Permits {
        let is_known = !self.is_open && !self.is_untold;
        Permits {
            first: self.first,
            taken: if is_known { self.accounts.clone() } else { Vec::new() },
            is_known,
            givers: self.givers.clone(),
            returned: self.returned,
        }
    }
}
