//! PBFT (Castro & Liskov 1999, 2002) over a hash chain.

mod certificate;
mod message;
mod record;
mod statement;

pub use certificate::{CommitCertificate, CommitProof, PreparedCertificate, StableCheckpoint};
pub use message::{Certificates, FETCH_LIMIT, Message, NewView, PrePrepare, Standing, ViewChange, Vote};
pub use record::Record;
pub use statement::{Ballot, Checkpoint, Commit, NewViewStatement, PrePrepareStatement, Prepare, ViewChangeStatement};
