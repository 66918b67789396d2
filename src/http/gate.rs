//! How much of something may be under way at once: bytes of bodies in memory, uploads, streams.
//!
//! What surprises: nobody waits at a gate. Whoever does not fit is told at once to come again, because a queue that grows
//! while the service is overloaded helps nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::{Code, Refusal};

/// A gate through which so much may have gone and not come back.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    taken: Arc<AtomicUsize>,
    most: usize,
    what: &'static str,
}

impl Gate {
    pub(super) fn new(most: usize, what: &'static str) -> Gate {
        Gate { taken: Arc::default(), most, what }
    }

    /// Takes room, until what is returned is dropped.
    pub(super) fn enter(&self, size: usize) -> Result<Room, Refusal> {
        let mut room = Room { gate: self.clone(), size: 0 };
        room.grow(size)?;
        Ok(room)
    }

    /// How much may be taken.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How much is taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Room that was taken at a gate.
#[derive(Debug)]
pub(super) struct Room {
    gate: Gate,
    size: usize,
}

impl Room {
    /// Takes more.
    pub(super) fn grow(&mut self, size: usize) -> Result<(), Refusal> {
        let before = self.gate.taken.fetch_add(size, Ordering::Relaxed);
        self.size += size;
        if before.saturating_add(size) <= self.gate.most {
            return Ok(());
        }
        Err(Refusal::new(Code::Overloaded, format!("there are too many {} under way", self.gate.what))
            .hint("try again in a moment"))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.gate.taken.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_lets_in_so_much_and_again_when_it_is_left() {
        let gate = Gate::new(10, "bytes");
        let mut first = gate.enter(6).unwrap();
        assert_eq!(gate.enter(5).unwrap_err().code, Code::Overloaded);
        let second = gate.enter(4).unwrap();
        assert!(first.grow(1).is_err());
        drop(first);
        assert_eq!(gate.taken(), 4);
        drop((second, gate.enter(6).unwrap()));
        assert_eq!(gate.taken(), 0);
    }
}
