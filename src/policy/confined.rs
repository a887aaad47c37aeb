//! What confines the commands that are judged, and what does that leave them?
//!
//! Told by whoever confines them; nothing here looks. The mode `auto` and rules with a `where` depend on it.

use crate::exec::sandbox::Tier;
use crate::policy::Policy;
use crate::policy::rules::Where;

/// What of the network confined commands reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing of it.
    Nothing,
    /// The hosts the user named; a proxy of mimi's own refuses all others.
    Hosts,
}

impl Reach {
    /// Says what commands reach in a tier when these hosts are named; only one of them has a network of its own.
    pub fn of(tier: Tier, hosts: &[String]) -> Self {
        if tier == Tier::Full && !hosts.is_empty() { Self::Hosts } else { Self::Nothing }
    }
}

impl Policy {
    /// Judges commands as ones that this tier confines. One that was declared counts as one of mimi's: whoever declared it
    /// answers for the machine.
    #[must_use]
    pub fn confined_by(self, tier: Tier, reach: Reach) -> Self {
        Self { tier, reach, ..self }
    }

    /// Returns where commands run.
    pub fn place(&self) -> Where {
        if self.tier == Tier::None { Where::Host } else { Where::Sandbox }
    }
}
