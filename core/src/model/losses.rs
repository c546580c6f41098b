//! What could not be kept or told, by kind.

use crate::update::{Loss, Stamp};

/// What the agent could not keep or tell.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Losses {
    /// By kind, since the process began.
    pub told: Vec<Loss>,
    /// What was told of each kind first.
    first: Vec<Loss>,
    /// When any of them last grew.
    pub grew_at: Option<Stamp>,
}

impl Losses {
    pub(super) fn tell(&mut self, told: Vec<Loss>, now: Stamp) {
        let count = |list: &[Loss], kind: &str| list.iter().find(|loss| loss.kind == kind).map(|loss| loss.count);
        // All kinds are told each time: one that is told no more is forgotten, or a target could name new ones for ever.
        self.first.retain(|first| told.iter().any(|loss| loss.kind == first.kind));
        for loss in &told {
            match count(&self.told, &loss.kind) {
                None if count(&self.first, &loss.kind).is_some() => {}
                None => self.first.push(loss.clone()),
                Some(before) if loss.count > before && loss.is_gap() => self.grew_at = Some(now),
                Some(_) => {}
            }
        }
        self.told = told;
    }

    /// What was lost since we attached, by kind: those of which nothing was are left out.
    pub fn since_attached(&self) -> impl Iterator<Item = (&str, u64)> {
        self.told.iter().filter_map(|loss| {
            let first = self.first.iter().find(|first| first.kind == loss.kind).map_or(0, |first| first.count);
            Some((loss.kind.as_str(), loss.count.checked_sub(first).filter(|&count| count > 0)?))
        })
    }

    /// The same, without what was let go of because it was over.
    pub fn gaps(&self) -> impl Iterator<Item = (&str, u64)> {
        self.since_attached().filter(|(kind, _)| is_gap(kind))
    }
}

impl Loss {
    fn is_gap(&self) -> bool {
        is_gap(&self.kind)
    }
}

/// What ended and is no longer kept is not missing from what goes on now: agents name it `finished-…`.
fn is_gap(kind: &str) -> bool {
    !kind.starts_with("finished-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_are_told_no_more_are_forgotten() {
        let mut losses = Losses::default();
        for update in 0..1_000_u64 {
            let told = [("spans".to_owned(), update), (format!("kind {update}"), 7), (format!("kind {update}"), 7)];
            let told = told.into_iter().map(|(kind, count)| Loss { kind, count }).collect();
            losses.tell(told, Stamp::from_nanos(1_000 + update));
        }
        assert_eq!(losses.first.len(), 2, "{:?}", losses.first);
        assert_eq!(losses.gaps().collect::<Vec<_>>(), [("spans", 999)]);
    }
}
