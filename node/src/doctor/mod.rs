//! Why is there no block? What the validators have to say, laid side by side, and what follows from it in plain sentences.
//!
//! [`Facts`] is one validator's side of the story. [`diagnose`] takes what is known of all of them and asks nobody: so the same
//! rules serve a node that is asked for itself (`GET /v1/doctor`) and whoever asks all of them (`quorate doctor`), and a table tests them.

mod case;
mod diagnose;
mod facts;
mod report;
mod standstill;
#[cfg(test)]
mod tests;
mod words;

pub use case::{Case, Seen};
pub use diagnose::diagnose;
pub(crate) use facts::Surroundings;
pub use facts::{
    CertificateFacts, Facts, LinkFacts, ProposalFacts, RefusalFacts, RejectionFacts, StageFacts, TallyFacts,
};
pub use report::{Finding, Report, Severity, Verdict};
