//! A member at its own running node: what the ledger asks for is handed in, until the end is known, kept and confirmed.

use super::Begun;
use crate::{
    exit::Failure,
    handle::{Handle, Wait},
};
use quorate_ledger::app::dkg::Phase;
use quorate_types::{Height, ReplicaId, Transaction};
use quorate_validator::dkg::{Ended, Farewell, Next, Participant};
use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};
use tracing::{debug, info};

/// How often the ledger is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long blocks are served to others after all have confirmed: they learn of the last commit a moment later.
const COURTESY: Duration = Duration::from_secs(2);
/// How long without a quorum of members connected, once our own part is kept, means that the others have gone.
const ALONE: Duration = Duration::from_secs(10);

/// What a member says at its ledger. An honest one says what the rules tell it to; only a build with the feature `lab` knows others.
pub(crate) trait Voice {
    /// As [`Participant::next`].
    fn next(&mut self, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Next;

    /// As [`Participant::farewell`].
    fn farewell(&self, ended: &Ended, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Farewell;
}

impl Voice for Participant {
    fn next(&mut self, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Next {
        Self::next(self, head, get)
    }

    fn farewell(&self, ended: &Ended, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Farewell {
        Self::farewell(self, ended, head, get)
    }
}

/// When to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When all have confirmed the result, or had the time to, or have gone.
    WithTheOthers,
    /// Never: somebody is behind.
    Never,
}

/// Takes part until the ceremony is over. `keep` is called with its end, once, before it is confirmed to the others. May be
/// dropped at any moment, as by a crash.
pub(crate) async fn take_part<T>(
    handle: &Handle,
    begun: &Begun,
    voice: &mut dyn Voice,
    ending: Ending,
    keep: impl FnOnce(&Ended) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut member = Member { handle, begun, voice, phase: None };
    let ended = member.until_the_end().await;
    let kept = keep(&ended)?;
    member.until_nobody_needs_us(&ended, ending).await;
    Ok(kept)
}

struct Member<'a> {
    handle: &'a Handle,
    begun: &'a Begun,
    voice: &'a mut dyn Voice,
    /// The last one told of.
    phase: Option<Phase>,
}

impl Member<'_> {
    async fn until_the_end(&mut self) -> Ended {
        loop {
            let head = self.look();
            let handle = self.handle;
            // Opening boxes and checking shares takes a while.
            let next = tokio::task::block_in_place(|| self.voice.next(head, &|key| get(handle, key)));
            match next {
                Next::Wait => {}
                Next::Submit(transaction) => self.hand_in(*transaction).await,
                Next::Over(ended) => return *ended,
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn until_nobody_needs_us(&mut self, ended: &Ended, ending: Ending) {
        let quorum = self.begun.ceremony.threshold();
        let mut told: Vec<ReplicaId> = Vec::new();
        let mut last_in_company = Instant::now();
        let mut over_since = None;
        loop {
            let head = self.look();
            match self.voice.farewell(ended, head, &|key| get(self.handle, key)) {
                Farewell::Wait { missing } if missing != told => {
                    let names: Vec<_> = missing.iter().map(|member| self.begun.name(member)).collect();
                    info!(missing = names.join(", "), "the result is kept; waiting until all have confirmed it");
                    told = missing;
                }
                Farewell::Wait { .. } => {}
                Farewell::Submit(transaction) => self.hand_in(*transaction).await,
                Farewell::Over => drop(over_since.get_or_insert_with(Instant::now)),
            }
            if self.handle.status().peers_connected + 1 >= quorum {
                last_in_company = Instant::now();
            }
            let is_over = over_since.is_some_and(|since: Instant| since.elapsed() > COURTESY);
            if ending == Ending::WithTheOthers && (is_over || last_in_company.elapsed() > ALONE) {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// The ledger's height. Tells when a phase begins.
    fn look(&mut self) -> Height {
        let ledger = self.handle.ledger();
        let head = ledger.read().unwrap_or_else(PoisonError::into_inner).head().height;
        let phase = self.begun.ceremony.phase(head.next());
        if self.phase.replace(phase) != Some(phase) {
            info!(?phase, height = head.0, "key generation");
        }
        head
    }

    async fn hand_in(&self, transaction: Transaction) {
        // Asked again at the next tick whatever becomes of it: it may be lost, or wait behind one that came too late.
        match self.handle.submit(vec![transaction], Wait::Accepted).await {
            Ok(answers) => debug!(?answers, "handed in"),
            Err(error) => debug!(%error, "not handed in"),
        }
    }
}

/// Each key by itself: a phase that is over does not change, so what was read before the next block and after it fits together.
fn get(handle: &Handle, key: &[u8]) -> Option<Vec<u8>> {
    handle.ledger().read().unwrap_or_else(PoisonError::into_inner).get(key)
}
