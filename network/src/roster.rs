//! Who is in the committee: replica index, libp2p peer id and configuration of each peer. Fixed once started.

use crate::{Config, NetworkError, context::Context, peer::PeerState};
use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey, ed25519},
};
use quorate_crypto::{IdentityKey, IdentitySecret, KeyError};
use quorate_types::ReplicaId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Every peer but ourselves.
#[derive(Debug)]
pub(crate) struct Roster {
    by_replica: BTreeMap<ReplicaId, Arc<PeerState>>,
    by_id: HashMap<PeerId, ReplicaId>,
}

impl Roster {
    pub(crate) fn new(config: &Config, context: &Context) -> Result<Self, NetworkError> {
        let ours = config.identity.public();
        let mut seen: BTreeMap<IdentityKey, ReplicaId> = BTreeMap::from([(ours, config.me)]);
        let mut roster = Self { by_replica: BTreeMap::new(), by_id: HashMap::new() };
        for peer in &config.peers {
            if peer.replica == config.me {
                check_own_entry(config.me, ours, peer.identity)?;
                continue;
            }
            let bad = |why| NetworkError::BadIdentity { replica: peer.replica, why };
            peer.identity.check().map_err(bad)?;
            let id = peer_id(&peer.identity).map_err(bad)?;
            let same_key = seen.insert(peer.identity, peer.replica);
            let same_index = roster.by_replica.contains_key(&peer.replica).then_some(peer.replica);
            if let Some(first) = same_key.or(same_index) {
                return Err(NetworkError::Duplicate { first, second: peer.replica });
            }
            roster.by_id.insert(id, peer.replica);
            roster.by_replica.insert(peer.replica, Arc::new(PeerState::new(peer, id, context)));
        }
        Ok(roster)
    }

    pub(crate) fn get(&self, replica: ReplicaId) -> Option<&Arc<PeerState>> {
        self.by_replica.get(&replica)
    }

    pub(crate) fn by_id(&self, id: &PeerId) -> Option<&Arc<PeerState>> {
        self.by_id.get(id).and_then(|replica| self.get(*replica))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<PeerState>> {
        self.by_replica.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_replica.len()
    }
}

fn check_own_entry(me: ReplicaId, ours: IdentityKey, configured: IdentityKey) -> Result<(), NetworkError> {
    if ours == configured {
        return Ok(());
    }
    Err(NetworkError::NotOurKey { me, ours: ours.to_string(), configured: configured.to_string() })
}

/// The libp2p key pair of our identity.
pub(crate) fn keypair(identity: &IdentitySecret) -> Keypair {
    let mut seed = identity.seed();
    Keypair::ed25519_from_bytes(seed.as_mut_slice()).expect("an ed25519 seed is any 32 bytes")
}

fn peer_id(key: &IdentityKey) -> Result<PeerId, KeyError> {
    let key = ed25519::PublicKey::try_from_bytes(&key.0).map_err(|_| KeyError::NotAPoint)?;
    Ok(PublicKey::from(key).to_peer_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_an_identity_give_the_same_peer_id() {
        let secret = IdentitySecret::from_seed([5; 32]);
        assert_eq!(peer_id(&secret.public()), Ok(keypair(&secret).public().to_peer_id()));
    }
}
