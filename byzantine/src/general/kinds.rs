//! Kinds of message by what they are for, in both protocols.

/// Carry a leader's proposal.
pub(super) fn is_proposal(kind: &str) -> bool {
    matches!(kind, "proposal" | "pre_prepare")
}

/// Count towards a certificate.
pub(super) fn is_vote(kind: &str) -> bool {
    matches!(kind, "vote" | "prepare" | "commit")
}

/// Hand certificates on, to a leader, to the slower or to whoever asks.
pub(super) fn is_certificate(kind: &str) -> bool {
    matches!(kind, "certificates" | "new_view" | "checkpoint")
}
