//! Why a network does not start.

use quorate_crypto::KeyError;
use quorate_types::ReplicaId;
use std::{io, net::SocketAddr};

/// Why a network does not start. Once started it never fails as a whole: peers come and go.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Another socket listens there.
    #[error(
        "cannot listen on {address}: the port is in use; stop what listens there (`ss -ltnp 'sport = :{}'` names it, \
         perhaps this validator runs already) or choose another port", address.port()
    )]
    PortInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The operating system refuses for another reason.
    #[error("cannot listen on {address}: {source}; is it an address of this machine, and may we use that port?")]
    CannotListen {
        /// The address asked for.
        address: SocketAddr,
        /// The operating system's word.
        source: io::Error,
    },
    /// A peer's identity key is no usable ed25519 key.
    #[error("the identity key of {replica} is {why}; take its key from the genesis again")]
    BadIdentity {
        /// Whose.
        replica: ReplicaId,
        /// What is wrong with it.
        why: KeyError,
    },
    /// Two peers share an index or a key.
    #[error("{first} and {second} in the configuration share an index or an identity key; each must be unique")]
    Duplicate {
        /// The one that came first.
        first: ReplicaId,
        /// The one that repeats it.
        second: ReplicaId,
    },
    /// The committee's entry for our index carries a key that is not ours.
    #[error(
        "our identity key {ours} is not that of {me} in the configuration, {configured}; \
         use that validator's key file, or the right replica index"
    )]
    NotOurKey {
        /// Our index.
        me: ReplicaId,
        /// The key we hold.
        ours: String,
        /// The key the committee expects.
        configured: String,
    },
    /// Our own settings contradict each other.
    #[error("{0}")]
    Settings(String),
}
