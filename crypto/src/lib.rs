//! Keys, the committee, and vote schemes.
//!
//! Three kinds of ed25519 keys are three types: [`IdentitySecret`] authenticates connections, [`VoteSecret`] signs
//! what a replica says in the protocol, [`ClientSecret`] signs transactions. Replicas never sign raw bytes but
//! [`Statement`]s ([`signing_bytes`]), and a quorum's votes combine into a proof under the committee's [`Scheme`]:
//! [`Ed25519List`], [`bls::BlsMulti`], [`bls::BlsThreshold`], or in the simulator [`Symbolic`], which is cheap and refuses
//! forgeries all the same. [`Counted`] counts what any of them is asked; [`Likeness`] is symbolic and as long as a real one.
//!
//! Every ed25519 check is `verify_strict`, singly. `verify` and `verify_batch` are forbidden by clippy: batch
//! verification accepts some signatures that single verification refuses, differently each time, and two honest
//! replicas would disagree about a block.

pub mod bls;
mod ceremony;
mod committee;
pub mod conformance;
mod counted;
mod ed25519;
mod keys;
mod likeness;
mod list;
mod passphrase;
mod pem;
mod price;
mod scheme;
mod signers;
mod symbolic;
mod transaction;
#[cfg(test)]
mod vectors;

pub use committee::{Committee, CommitteeError, Member};
pub use counted::{Counted, Operations};
pub use ed25519::{Ed25519List, Ed25519Proof, Ed25519Signature};
pub use keys::{ClientSecret, IdentityKey, IdentitySecret, KeyError, VoteKey, VoteSecret};
pub use likeness::{LikeProof, LikeSignature, Likeness, Looks};
pub use list::ListProof;
pub use passphrase::Passphrase;
pub use pem::{KeyFile, KeyFileError};
pub use price::{Price, Work};
pub use scheme::{Certificate, CryptoError, Scheme, Statement, signing_bytes};
pub use signers::Signers;
pub use symbolic::{Symbolic, SymbolicProof, SymbolicSecret, SymbolicSignature};
pub use transaction::verify_transaction;
