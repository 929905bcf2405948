//! What decisions cost by formula: the oracle beside what is counted. `docs/complexity.md` has the derivations at length.
//!
//! A message counts once for each receiver, and nobody sends to itself. `n` replicas, `f` the most that may be faulty, a quorum
//! `q = n - f`. A vote holds `v` signatures and a certificate `c`: see [`Signatures`].

use quorate_crypto::{Price, Work};
use quorate_ledger::SchemeKind;

/// How many signatures votes and certificates hold, and how long certificates are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// In a vote: 1 in a list's, 2 in a BLS one (a partial, and its author's ed25519 signature of it).
    pub vote: u64,
    /// In a certificate: a quorum's in a list, 1 in place of all under BLS.
    pub certificate: u64,
    /// Bytes of a certificate's proof.
    pub certificate_bytes: u64,
    /// What the scheme's operations take.
    pub price: Price,
}

/// `f`, the most that may be faulty: the greatest with `3f < n`.
pub fn faulty(n: u64) -> u64 {
    (n - 1) / 3
}

/// `q = n - f`.
pub fn quorum(n: u64) -> u64 {
    n - faulty(n)
}

/// Of a scheme in a committee of `n`. Lengths are those of the canonical encoding: a bitmap of signers is a length of 4 bytes and
/// `ceil(n/8)`, a list a length of 4 bytes and 64 each, a point in G1 48 and one in G2 96.
pub fn signatures(scheme: SchemeKind, n: u64) -> Signatures {
    let bitmap = 4 + n.div_ceil(8);
    let (price, certificate, certificate_bytes) = match scheme {
        SchemeKind::Ed25519 => (Price::LIST, quorum(n), bitmap + 4 + 64 * quorum(n)),
        SchemeKind::BlsMulti => (Price::PAIRING, 1, bitmap + 48),
        SchemeKind::BlsMultiMinPk => (Price::PAIRING, 1, bitmap + 96),
        SchemeKind::BlsThreshold => (Price::PAIRING, 1, 48),
        SchemeKind::BlsThresholdMinPk => (Price::PAIRING, 1, 96),
    };
    Signatures { vote: price.sign.made, certificate, certificate_bytes, price }
}

/// PBFT (Castro & Liskov 1999, section 4), over a chain, with signatures.
pub mod pbft {
    use super::{Signatures, Work, faulty, quorum};

    /// Of a block: PRE-PREPARE from the primary to all others, `n-1`; PREPARE from each of the `n-1` backups to all others,
    /// `(n-1)^2`; COMMIT from everybody to all others, `n(n-1)`. Together `(n-1)(1 + n-1 + n) = 2n(n-1)`.
    pub fn block(n: u64) -> u64 {
        2 * n * (n - 1)
    }

    /// Of a block: a PRE-PREPARE holds the primary's signature and its PREPARE, `1 + v`; the others a vote each.
    /// `(n-1)(1+v) + (n-1)^2 v + n(n-1) v = (n-1)(1 + 2nv)`.
    pub fn block_authenticators(n: u64, signatures: Signatures) -> u64 {
        (n - 1) * (1 + 2 * n * signatures.vote)
    }

    /// Of a block, what is signed and checked: the primary's proposal and `2n` votes; each of them by each receiver, on arrival; and at
    /// each replica a quorum's PREPAREs combined, and a quorum's COMMITs. Nobody else's certificate is checked, since each makes its own.
    pub fn block_work(n: u64, signatures: Signatures) -> Work {
        let price = signatures.price;
        let made = Work::SIGN.and(price.sign.times(2 * n));
        let checked = Work::CHECK.times(n - 1).and(price.admit.times(2 * n * (n - 1)));
        made.and(checked).and(price.combine.times(2 * n))
    }

    /// Of a checkpoint, every so many heights: CHECKPOINT from everybody to all others (section 4.3).
    pub fn checkpoint(n: u64) -> u64 {
        n * (n - 1)
    }

    /// Of a view change in which `movers` replicas take part, each of which says it once: VIEW-CHANGE from each to all others
    /// (section 4.4).
    pub fn view_changes(n: u64, movers: u64) -> u64 {
        movers * (n - 1)
    }

    /// Of the view that begins: NEW-VIEW from its primary to all others (section 4.4).
    pub fn new_view(n: u64) -> u64 {
        n - 1
    }

    /// Of the tip that a NEW-VIEW proposes again: no PRE-PREPARE of its own, but PREPARE from each backup and COMMIT from everybody:
    /// `(n-1)^2 + n(n-1) = (n-1)(2n-1)`.
    pub fn tip(n: u64) -> u64 {
        (n - 1) * (2 * n - 1)
    }

    /// Of one view change by a silent primary, everybody moving at the same moment, in all: VIEW-CHANGEs, NEW-VIEW, the tip again; and the
    /// new primary begins at the first quorum, and answers the `f` VIEW-CHANGEs that come after with how the view began.
    pub fn silent_primary(n: u64) -> u64 {
        view_changes(n, n) + new_view(n) + tip(n) + faulty(n)
    }

    /// The authenticators in all of that: `c` of what was prepared in each VIEW-CHANGE, and no checkpoint yet but genesis'.
    pub fn silent_primary_authenticators(n: u64, signatures: Signatures) -> u64 {
        let change = in_view_change(signatures, false, true);
        let new_view = in_new_view(n, signatures, change, true);
        view_changes(n, n) * change + (n - 1 + faulty(n)) * new_view + tip(n) * signatures.vote
    }

    /// In one VIEW-CHANGE: its own signature, a certificate of the stable checkpoint unless that is genesis, and one of what was
    /// prepared, if anything was.
    pub fn in_view_change(signatures: Signatures, has_checkpoint: bool, has_prepared: bool) -> u64 {
        1 + signatures.certificate * (u64::from(has_checkpoint) + u64::from(has_prepared))
    }

    /// In a NEW-VIEW of a quorum of such VIEW-CHANGEs: its own signature, theirs, and a PRE-PREPARE's for the tip.
    pub fn in_new_view(n: u64, signatures: Signatures, in_each_change: u64, has_tip: bool) -> u64 {
        1 + quorum(n) * in_each_change + u64::from(has_tip) * (1 + signatures.vote)
    }
}

/// Chained HotStuff (Yin et al. 2019, section 5), with the pacemaker of LibraBFT.
pub mod hotstuff {
    use super::{Signatures, Work, quorum};

    /// Of a view: the proposal from its leader to all others, `n-1`, and a vote from each replica to the next leader, who sends none
    /// to itself, `n-1`. Each view decides one block, by the votes of the two views behind it too: amortised, `2(n-1)` a block.
    pub fn view(n: u64) -> u64 {
        2 * (n - 1)
    }

    /// Of a view: a proposal holds its leader's signature and its parent's certificate, a vote its own: `(n-1)(1 + c + v)`.
    pub fn view_authenticators(n: u64, signatures: Signatures) -> u64 {
        (n - 1) * (1 + signatures.certificate + signatures.vote)
    }

    /// Of a view, what is signed and checked: a proposal and `n` votes; each follower checks the proposal's signature and its
    /// certificate, the next leader the others' `n-1` votes, and combines a quorum of them.
    pub fn view_work(n: u64, signatures: Signatures) -> Work {
        let price = signatures.price;
        let made = Work::SIGN.and(price.sign.times(n));
        let certificate = price.proof.and(price.listed.times(signatures.certificate));
        let checked = Work::CHECK.and(certificate).times(n - 1).and(price.admit.times(n - 1));
        made.and(checked).and(price.combine)
    }

    /// Of a view that `leavers` replicas leave by their timers: a timeout from each to all others.
    pub fn timeouts(n: u64, leavers: u64) -> u64 {
        leavers * (n - 1)
    }

    /// Of such a view, if all those timeouts come at the same moment and the next leader is among the leavers: each forms the timeout
    /// certificate from the first quorum of timeouts, its own among them. Each but the next leader hands it to that leader,
    /// `m-1`; and each answers with it the `m-q` timeouts that come after, as it would those of replicas that are behind.
    pub fn timeout_certificates(n: u64, leavers: u64) -> u64 {
        (leavers - 1) + leavers * (leavers - quorum(n))
    }
}

/// A crash-tolerant protocol for comparison, *not run*: Raft (Ongaro & Ousterhout 2014, sections 5.2 and 5.3).
pub mod raft {
    /// Of an entry: AppendEntries from the leader to each follower, and an answer from each: `2(n-1)`. That it is committed, followers
    /// learn with the next.
    pub fn entry(n: u64) -> u64 {
        2 * (n - 1)
    }

    /// Of an election in which nobody contends: RequestVote to all others, and an answer from each.
    pub fn election(n: u64) -> u64 {
        2 * (n - 1)
    }

    /// Replicas that it takes to survive `f` crashes, where `3f + 1` survive `f` liars.
    pub fn replicas(f: u64) -> u64 {
        2 * f + 1
    }
}
