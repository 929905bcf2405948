//! *Whether*: the rules of chained HotStuff as pure questions (Yin et al., PODC 2019, Algorithms 4 and 5).
//!
//! - **safeNode** (Alg. 4 line 10): a block is safe if it extends the locked block, or its justify is of a higher view
//!   than the lock.
//! - **lock** (Alg. 5 line 18): a certificate for a block whose parent is certified locks that parent.
//! - **commit** (Alg. 5 line 20): three certified blocks in a direct chain commit the lowest. The paper's dummy nodes make
//!   the chain's views consecutive; we skip views without blocks, so **consecutive views are tested**. Without that test the
//!   rule forks.
//!
//! Of two certificates of one view, which only more than f liars make, the one that was locked first stays locked, and
//! nothing is voted for that would lock the other: safeNode lets a higher justify pass, and a replica that signed above
//! both would have broken no rule and yet stand among those of whom `fork` says that they broke a lock.
//!
//! Deviation: if the justify is not of the view before, the proposal must bring that view's timeout certificate, and the
//! justify must be at least as high as every certificate claimed in it (Jolteon). A leader cannot drop a newer certificate
//! that a quorum knows.

use super::{
    certificate::{CommitProof, QuorumCertificate},
    message::{JustifiedBlock, Proposal},
};
use crate::{Ignored, block_tree::BlockTree};
use quorate_crypto::Scheme;

/// Whether the proposal's age is accounted for: its justify is of the view before, or a timeout certificate of the view
/// before allows one this old.
pub(super) fn is_justified<S: Scheme>(proposal: &Proposal<S>) -> bool {
    let view = proposal.justified.block.header.view;
    let justify = proposal.justified.justify.view();
    let allowed = |entry: &super::certificate::TimeoutCertificate<S>| {
        entry.view.next() == view && entry.high_qc.view() <= justify
    };
    justify.next() == view || proposal.entry.as_ref().is_some_and(allowed)
}

/// HotStuff's safeNode, and no second lock of one view.
pub(super) fn is_safe<S: Scheme>(
    proposal: &Proposal<S>,
    locked: &QuorumCertificate<S>,
    tree: &BlockTree<JustifiedBlock<S>>,
) -> Result<(), Ignored> {
    let justify = &proposal.justified.justify;
    let is_rival = |other: &QuorumCertificate<S>| other.view() == locked.view() && other.block() != locked.block();
    if locked_by(justify, tree).is_some_and(is_rival) {
        return Err(Ignored::Unsafe);
    }
    if justify.view() > locked.view() || tree.extends(&justify.block(), &locked.block()) {
        Ok(())
    } else {
        Err(Ignored::Unsafe)
    }
}

/// What a certificate for a held block locks: the certificate of its parent.
pub(super) fn locked_by<'a, S: Scheme>(
    qc: &QuorumCertificate<S>,
    tree: &'a BlockTree<JustifiedBlock<S>>,
) -> Option<&'a QuorumCertificate<S>> {
    tree.get(&qc.block()).map(|node| &node.held.justify)
}

/// What a certificate for a held block commits: its grandparent, if the three stand in consecutive views.
pub(super) fn committed_by<S: Scheme>(
    qc: &QuorumCertificate<S>,
    tree: &BlockTree<JustifiedBlock<S>>,
) -> Option<CommitProof<S>> {
    let grandchild = &tree.get(&qc.block())?.held.block.header;
    let child = &tree.get(&grandchild.parent)?.held.block.header;
    let block = tree.header(&child.parent)?;
    let consecutive = child.view == block.view.next() && grandchild.view == child.view.next();
    consecutive.then(|| CommitProof { child: child.clone(), grandchild: grandchild.clone(), qc: qc.clone() })
}
