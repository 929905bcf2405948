//! A key generation: joint Feldman (Pedersen 1991), with this chain as its broadcast channel.
//!
//! The ledger is a bulletin board and no more. It keeps what each member says first, in the phase where it belongs; phases end at
//! heights. [`judge`] is a function of what was kept, so all who hold the same ledger agree on its verdict.
//!
//! 1. **Dealing.** A member commits to a polynomial of degree `t - 1` and seals one share for each member.
//! 2. **Verdicts.** Each member acknowledges the shares that it could open and that match, and complains about the others.
//! 3. **Answers.** A dealer that was complained about reveals the secret of *that one box*. Everybody opens the box again, exactly as
//!    its recipient did: either it holds the share, and the complainer lied, or it does not, and the dealer did. No word
//!    stands against word.
//!
//! 4. **Confirmations.** Each member that has found the result on its ledger, and kept its share, says so. When all have, nobody needs the
//!    chain any more. Nothing else depends on it.
//!
//! A dealer qualifies if it dealt one dealing, proved that it knows the secret it dealt, answered each complaint with a good share, and at
//! least `t` members hold theirs. At least `t` dealers must qualify. The key is the sum of what they dealt.
//!
//! # What up to f members, with `t = n - f`, can do
//!
//! - **Learn the key?** No. Among `t` dealers at least one is honest, and of its shares the liars know their own f. A false
//!   complaint makes it reveal the complainer's own share, which the complainer had: nobody's share but a liar's becomes public.
//! - **Deal what cancels the others' commitments**, having seen them, so that the sum is a key of theirs? No. Nobody proves a secret that
//!   it does not know. Honest members would complain of such shares as well, but that alone is not enough: leaders might keep
//!   the complaints of f of them out of the blocks, and f + 1 shares do not tie down a polynomial of degree `t - 1`.
//! - **Leave an honest member without a share?** No. It complains, with which it is always in the right, and the dealer goes.
//! - **Have an honest dealer thrown out, or named?** No. Each of its answers is right.
//! - **Split the honest?** No. All judge the same ledger, and a ledger does not fork.
//! - **Stop it?** No. The `n - f` honest qualify, which is enough.
//! - **Bias the key?** Yes, a little: whoever deals last sees the others' commitments and may choose, or withdraw by not answering
//!   its own side's complaint, and so pick among a few keys (Gennaro, Jarecki, Krawczyk, Rabin 1999). It learns nothing of the
//!   secret by it, and for signatures in the style of BLS and Schnorr that suffices (the same, 2007).
//!
//! That nobody learns the key and that the honest agree holds always. The rest **rests on phases that are long enough**: what an
//! honest member sends when a phase begins must be in a block before it ends. Leaders may censor until the protocol removes them: in HotStuff by rotation, in PBFT when a
//! request has waited for its timer. A leader that censors *and* makes blocks faster than the chain's pace shortens a phase, since
//! heights, not clocks, end it. A phase therefore should last many times the longest view at the chain's pace. Should an honest member
//! miss one all the same, then nothing is lost in silence: without its dealing or its answer, its contribution is missing
//! from the key; without its verdict, it may end without a share, which it notices, and takes part as one of the f.

mod board;
mod judge;

pub use board::Board;
pub use judge::{Fault, Finding, Judgement, Unfinished, judge};

use super::{Application, FailCode};
use crate::State;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{
    Committee, IdentityKey,
    bls::{Commitments, G1, MinSig, Point, Sealed},
};
use quorate_types::{Account, BoundedVec, ChainId, Digest, Height, ReplicaId, decode, encode};
use serde::{Deserialize, Serialize};

/// Members at most: a dealing, of some 160 bytes for each, must fit into one transaction.
pub const MAX_MEMBERS: usize = 256;
/// The longest phase, in heights.
pub(crate) const MAX_PHASE: u64 = 1_000_000;

/// Who takes part, and how long the phases are.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceremony {
    /// The validators' identity keys, in their order.
    pub members: Vec<IdentityKey>,
    /// How many shares sign: the committee's quorum.
    pub threshold: u16,
    /// Each phase lasts so many heights.
    pub phase_heights: u64,
    /// Of the genesis that the key is for: members who mean different chains do not talk to each other.
    pub draft: Digest,
}

/// A part of the ceremony, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Members deal.
    Dealing,
    /// They say which shares are good.
    Verdicts,
    /// Dealers answer complaints.
    Answers,
    /// Members say that they know the result.
    Confirmations,
    /// Nothing said counts any more.
    Over,
}

/// What a member says. Its canonical encoding is the transaction's payload.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Say {
    /// In the first phase.
    Deal(Deal),
    /// In the second: complaints about these dealers, in order; all other dealings are acknowledged.
    Verdict(BoundedVec<ReplicaId, MAX_MEMBERS>),
    /// In the third: for each of these complainers, in order, the secret of its box.
    Answer(BoundedVec<(ReplicaId, [u8; 32]), MAX_MEMBERS>),
    /// In the fourth: the sender knows this result, and has kept what it needs of it.
    Confirm(Digest),
}

/// One member's polynomial, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Deal {
    /// To its coefficients.
    pub commitments: Commitments<MinSig>,
    /// That the dealer knows the lowest of them.
    pub proof: Point<G1>,
    /// For each member, in order, its share: 32 bytes, greatest first.
    pub boxes: BoundedVec<Sealed, MAX_MEMBERS>,
}

impl Ceremony {
    /// The ceremony of a committee, for the chain that this draft becomes.
    pub fn of(committee: &Committee, phase_heights: u64, draft: Digest) -> Self {
        let key = |replica| committee.member(replica).map(|member| member.identity);
        Self {
            members: committee.members().filter_map(key).collect(),
            threshold: u16::try_from(committee.quorum()).unwrap_or(u16::MAX),
            phase_heights,
            draft,
        }
    }

    /// How many shares sign.
    pub fn threshold(&self) -> usize {
        usize::from(self.threshold)
    }

    /// All members, in order.
    pub fn ids(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        let count = u16::try_from(self.members.len()).unwrap_or(u16::MAX);
        (0..count).map(ReplicaId)
    }

    /// The last height at which something said counts for the result.
    pub fn last_height(&self) -> Height {
        Height(self.phase_heights.saturating_mul(3))
    }

    /// Where a block's transactions belong.
    pub fn phase(&self, height: Height) -> Phase {
        match height.0.saturating_sub(1) / self.phase_heights.max(1) {
            0 => Phase::Dealing,
            1 => Phase::Verdicts,
            2 => Phase::Answers,
            3 => Phase::Confirmations,
            _ => Phase::Over,
        }
    }

    fn member_of(&self, account: &Account) -> Option<ReplicaId> {
        self.ids().zip(&self.members).find(|(_, key)| key.account() == *account).map(|(id, _)| id)
    }

    fn is_well_formed(&self, sender: ReplicaId, say: &Say) -> bool {
        let may_name = |id: &ReplicaId| *id != sender && id.index() < self.members.len();
        match say {
            Say::Deal(deal) => {
                deal.commitments.threshold() == self.threshold() && deal.boxes.len() == self.members.len()
            }
            Say::Verdict(against) => against.iter().all(may_name) && against.is_sorted_by(|a, b| a < b),
            Say::Answer(answers) => {
                answers.iter().all(|(id, _)| may_name(id)) && answers.is_sorted_by(|a, b| a.0 < b.0)
            }
            Say::Confirm(_) => true,
        }
    }
}

impl Say {
    /// Where it belongs.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Deal(_) => Phase::Dealing,
            Self::Verdict(_) => Phase::Verdicts,
            Self::Answer(_) => Phase::Answers,
            Self::Confirm(_) => Phase::Confirmations,
        }
    }
}

/// What a box is bound to: this ceremony, its dealer, its recipient.
pub fn box_context(chain: ChainId, dealer: ReplicaId, recipient: ReplicaId) -> Vec<u8> {
    encode(&("quorate/dkg-box/v1", chain, dealer, recipient))
}

/// What a dealer's proof is bound to: this ceremony and its dealer.
pub fn proof_context(chain: ChainId, dealer: ReplicaId) -> Vec<u8> {
    encode(&("quorate/dkg-proof/v1", chain, dealer))
}

impl Application for Ceremony {
    fn check(&self, payload: &[u8]) -> Result<(), String> {
        decode::<Say>(payload).map(|_| ()).map_err(|error| error.to_string())
    }

    fn apply(&self, state: &mut State, height: Height, sender: &Account, payload: &[u8]) -> Result<(), FailCode> {
        let member = self.member_of(sender).ok_or(FailCode::NotAMember)?;
        let say: Say = decode(payload).map_err(|_| FailCode::MalformedPayload)?;
        if self.phase(height) != say.phase() {
            return Err(FailCode::WrongPhase);
        }
        if !self.is_well_formed(member, &say) {
            return Err(FailCode::IllFormed);
        }
        board::keep(state, member, &say)
    }
}
