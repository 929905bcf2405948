//! Messages whose signatures have been checked.
//!
//! Checking needs the committee's keys and not the replica, so a node does it on a pool of threads in front of the
//! replica, the simulator inline. A certificate that was verified before is not verified again: the same quorum
//! certificate comes in every proposal, timeout and answer of its view. Nor is one that the replica itself combined.

use quorate_crypto::CryptoError;
use quorate_types::{Digest, ReplicaId};
use std::{
    collections::{BTreeSet, VecDeque},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A message whose signatures and shape have been checked against its sender. The only constructor runs the check, so no
/// handler can forget it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verified<M>(M);

impl<M: Verify> Verified<M> {
    /// Checks `message`, which the connection proves to come from `from`.
    pub fn check(message: M, from: ReplicaId, keys: &M::Keys) -> Result<Self, Rejection> {
        message.verify(from, keys)?;
        Ok(Self(message))
    }

    /// To look at.
    pub fn get(&self) -> &M {
        &self.0
    }

    /// The message.
    pub fn into_inner(self) -> M {
        self.0
    }
}

/// What can be said about a message without any replica's state: signatures, certificates, shape.
pub trait Verify {
    /// The committee's public material.
    type Keys: Send + Sync + 'static;
    /// Checks everything that does not depend on the receiver's state.
    fn verify(&self, from: ReplicaId, keys: &Self::Keys) -> Result<(), Rejection>;
}

/// Why a peer's message was thrown away. Never fatal, always the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A signature or certificate does not verify.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The message contradicts itself.
    #[error("{0}")]
    Malformed(&'static str),
    /// Not the encoding of a message.
    #[error(transparent)]
    Undecodable(#[from] quorate_types::DecodeError),
}

/// Certificates that were verified, or combined here.
pub type SeenCertificates = Seen<256>;

/// Digests of up to `LIMIT` things known to be good, signatures included. When full, the oldest is forgotten. Clones share them: what
/// a replica combined need not be verified when it comes back.
#[derive(Clone, Debug, Default)]
pub struct Seen<const LIMIT: usize>(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    names: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

/// What is remembered changes how long a check takes, and never what comes of it: replicas that differ in it alone are the same.
impl<const LIMIT: usize> PartialEq for Seen<LIMIT> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<const LIMIT: usize> Eq for Seen<LIMIT> {}

impl<const LIMIT: usize> Hash for Seen<LIMIT> {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

impl<const LIMIT: usize> Seen<LIMIT> {
    /// Runs `check` unless what has this name, a digest of all of it, has passed before.
    pub fn check_once<E>(&self, name: Digest, check: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        if self.lock().names.contains(&name) {
            return Ok(());
        }
        check()?;
        self.remember(name);
        Ok(())
    }

    /// This one is good.
    pub fn remember(&self, name: Digest) {
        let mut seen = self.lock();
        if seen.names.insert(name) {
            seen.order.push_back(name);
            if seen.order.len() > LIMIT
                && let Some(oldest) = seen.order.pop_front()
            {
                seen.names.remove(&oldest);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_certificate_is_checked_once_and_a_bad_one_every_time() {
        let seen = SeenCertificates::default();
        let (good, bad) = (Digest([1; 32]), Digest([2; 32]));
        assert_eq!(seen.check_once(good, || Ok::<_, &str>(())), Ok(()));
        assert_eq!(seen.check_once(good, || Err("not asked")), Ok(()));
        for _ in 0..2 {
            assert_eq!(seen.check_once(bad, || Err("bad")), Err("bad"));
        }
    }

    #[test]
    fn what_a_replica_combined_is_known_to_whoever_checks_for_it() {
        let seen = SeenCertificates::default();
        seen.clone().remember(Digest([1; 32]));
        assert_eq!(seen.check_once(Digest([1; 32]), || Err("not asked")), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let seen = Seen::<3>::default();
        let name = |i: u8| Digest([i; 32]);
        for i in 0..=3 {
            assert_eq!(seen.check_once(name(i), || Ok::<_, &str>(())), Ok(()));
        }
        assert_eq!(seen.check_once(name(1), || Err("kept")), Ok(()));
        assert_eq!(seen.check_once(name(0), || Err("forgotten")), Err("forgotten"));
    }
}
