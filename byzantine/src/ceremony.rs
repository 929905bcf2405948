//! Members of a key generation that cheat: what one says where an honest one would say something else.
//!
//! A [`Cheater`] is an honest member in other hands, with its own key and nobody else's. Without a [`Cheat`] it is what it wraps.

use quorate_crypto::bls::{Commitments, G2, Group, Point};
use quorate_ledger::app::dkg::{Board, Ceremony, Deal, Phase, Say};
use quorate_types::{BoundedVec, Height, ReplicaId, Transaction, decode};
use quorate_validator::dkg::{Ended, Farewell, Next, Participant};

/// What is in a box where a share should be.
const NO_SHARE: [u8; 32] = [1; 32];
/// What is revealed where a box's secret should be.
const NO_SECRET: [u8; 32] = [7; 32];

/// What a member does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// Says nothing.
    Silent,
    /// Deals bad shares to all others.
    BadShares,
    /// Deals bad shares to every other one.
    BadSharesToHalf,
    /// Deals one bad share, and reveals something else than its box's secret.
    WrongAnswer,
    /// Deals one bad share, and reveals nothing.
    NoAnswer,
    /// Complains about a good share.
    FalseComplaint,
    /// Deals again.
    DealTwice,
    /// Deals when others give their verdicts.
    DealLate,
    /// Waits for the others' dealings, and deals what cancels them: the key would be its own.
    Cancel,
}

impl Cheat {
    /// All, with what each is asked for by.
    pub const ALL: [(&'static str, Self); 9] = [
        ("silent", Self::Silent),
        ("bad-shares", Self::BadShares),
        ("bad-shares-to-half", Self::BadSharesToHalf),
        ("wrong-answer", Self::WrongAnswer),
        ("no-answer", Self::NoAnswer),
        ("false-complaint", Self::FalseComplaint),
        ("deal-twice", Self::DealTwice),
        ("deal-late", Self::DealLate),
        ("cancel", Self::Cancel),
    ];

    /// The one of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, cheat)| cheat)
    }

    /// Whether a dealing of `me` has a bad share for `to`. Who cheats one alone cheats the first that it is not itself.
    fn is_bad_for(self, to: ReplicaId, me: ReplicaId) -> bool {
        let first = if me == ReplicaId(0) { ReplicaId(1) } else { ReplicaId(0) };
        let is_victim = match self {
            Self::BadShares => true,
            Self::BadSharesToHalf => to.index().is_multiple_of(2),
            Self::WrongAnswer | Self::NoAnswer | Self::FalseComplaint => to == first,
            Self::Silent | Self::DealTwice | Self::DealLate | Self::Cancel => false,
        };
        is_victim && to != me
    }
}

/// A member that may cheat.
#[derive(Debug)]
pub struct Cheater {
    honest: Participant,
    ceremony: Ceremony,
    cheat: Option<Cheat>,
    /// The number of the transaction in which it dealt.
    dealt: Option<u64>,
}

impl Cheater {
    /// This member of this ceremony, who does that.
    pub fn new(honest: Participant, ceremony: Ceremony, cheat: Option<Cheat>) -> Self {
        Self { honest, ceremony, cheat, dealt: None }
    }

    /// Which member this is.
    pub fn me(&self) -> ReplicaId {
        self.honest.me()
    }

    /// What it does that it should not.
    pub fn cheat(&self) -> Option<Cheat> {
        self.cheat
    }

    /// As [`Participant::next`].
    pub fn next(&mut self, head: Height, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Next {
        let next = self.honest.next(head, &get);
        let Some(cheat) = self.cheat else { return next };
        let said = match next {
            Next::Over(ended) => return Next::Over(ended),
            Next::Wait => self.say_unasked(cheat, head),
            Next::Submit(transaction) => self.say_instead(cheat, &transaction, &Board::read(&self.ceremony, get)),
        };
        said.map_or(Next::Wait, |transaction| Next::Submit(Box::new(transaction)))
    }

    /// As [`Participant::farewell`].
    pub fn farewell(&self, ended: &Ended, head: Height, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Farewell {
        match self.honest.farewell(ended, head, get) {
            Farewell::Submit(_) if self.cheat == Some(Cheat::Silent) => Farewell::Wait { missing: vec![self.me()] },
            farewell => farewell,
        }
    }

    fn say_unasked(&self, cheat: Cheat, head: Height) -> Option<Transaction> {
        let nonce = self.dealt.filter(|_| self.ceremony.phase(head.next()) == Phase::Dealing)?;
        let mut deal = self.honest.deal();
        let mut boxes = deal.boxes.into_inner();
        boxes.reverse();
        deal.boxes = BoundedVec::new(boxes).expect("as many");
        (cheat == Cheat::DealTwice).then(|| self.honest.sign(nonce + 1, &Say::Deal(deal)))
    }

    fn say_instead(&mut self, cheat: Cheat, honest: &Transaction, board: &Board) -> Option<Transaction> {
        let nonce = honest.body.nonce;
        let say = match decode(&honest.body.payload).expect("an honest member said it") {
            _ if cheat == Cheat::Silent => None,
            Say::Deal(_) if cheat == Cheat::DealLate => None,
            Say::Verdict(_) if cheat == Cheat::DealLate && nonce == 0 => Some(Say::Deal(self.honest.deal())),
            Say::Deal(deal) if cheat == Cheat::Cancel => cancelling(deal, board).map(Say::Deal),
            Say::Deal(deal) => {
                self.dealt = Some(nonce);
                Some(Say::Deal(if cheat == Cheat::FalseComplaint { deal } else { self.spoil(cheat, deal) }))
            }
            Say::Verdict(_) if cheat == Cheat::FalseComplaint => {
                let accused = self.ceremony.ids().filter(|to| cheat.is_bad_for(*to, self.me())).collect();
                Some(Say::Verdict(BoundedVec::new(accused).expect("no more than members")))
            }
            Say::Answer(_) if cheat == Cheat::NoAnswer => None,
            Say::Answer(answers) if cheat == Cheat::WrongAnswer => {
                let wrong = answers.iter().map(|(to, _)| (*to, NO_SECRET)).collect();
                Some(Say::Answer(BoundedVec::new(wrong).expect("as many")))
            }
            honest => Some(honest),
        };
        say.map(|say| self.honest.sign(nonce, &say))
    }

    fn spoil(&self, cheat: Cheat, mut deal: Deal) -> Deal {
        let boxes = deal.boxes.iter().cloned().zip(self.ceremony.ids());
        let spoilt = boxes.map(|(good, to)| match cheat.is_bad_for(to, self.me()) {
            true => self.honest.seal(to, &NO_SHARE),
            false => good,
        });
        deal.boxes = BoundedVec::new(spoilt.collect()).expect("as many");
        deal
    }
}

/// Once enough others have dealt: the dealing whose sum with theirs is a key that its dealer knows alone. It cannot know the shares, nor prove
/// that it knows the secret; the proof is of its own.
fn cancelling(mut deal: Deal, board: &Board) -> Option<Deal> {
    if board.deals.len() < deal.commitments.threshold() {
        return None;
    }
    let minus = |key: &Point<G2>| {
        let mut bytes = key.element().encode();
        bytes.as_mut()[0] ^= 0x20; // the other root of y
        G2::decode(bytes.as_ref()).expect("the opposite point")
    };
    let others: Vec<_> = board.deals.values().map(|deal| minus(deal.commitments.group_key())).collect();
    let mut points = deal.commitments.points().to_vec();
    points[0] = Point::new(G2::sum(others.iter().chain([points[0].element()]))).expect("not the identity");
    deal.commitments = Commitments::new(points).expect("as many");
    Some(deal)
}
