//! A member of a key generation (`quorate_ledger::app::dkg` has the rules), without a clock, a socket or a file.
//!
//! [`Participant::next`] looks at a ledger and tells what to hand in now. It remembers nothing that it could not compute again:
//! what it deals follows from its key and the chain, and what it has said already is on the ledger. So it may be asked as often
//! as one likes, and a member that crashed goes on where its ledger stands. A transaction that was lost or that came too late is simply made again, or not.

use quorate_crypto::{
    IdentitySecret,
    bls::{MinSig, OpeningSecret, Polynomial, Sealed, SealingKey, Share, seal, share_index},
};
use quorate_ledger::{
    account_key,
    app::{
        AccountState,
        dkg::{Board, Ceremony, Deal, Judgement, Phase, Say, box_context, judge, proof_context},
    },
};
use quorate_types::{
    BoundedVec, ChainId, Digest, Domain, Height, ReplicaId, Transaction, TransactionBody, decode, encode,
};
use zeroize::Zeroizing;

/// The secrets of a dealer's boxes.
const BOX: Domain = Domain("quorate/ceremony-box/v1");

/// Information for the derivation of a dealer's polynomial.
const POLYNOMIAL: &[u8] = b"quorate/ceremony/v1";

/// Takes part for one member.
#[derive(Debug)]
pub struct Participant {
    ceremony: Ceremony,
    chain: ChainId,
    me: ReplicaId,
    identity: IdentitySecret,
    /// What there is to say in a phase rests on the phases before, which do not change any more: it is found out once.
    decided: Option<(Phase, Option<Say>)>,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Nothing, until the ledger has grown.
    Wait,
    /// Hand this in, again and again until the ledger has it.
    Submit(Box<Transaction>),
    /// Nothing any more.
    Over(Box<Ended>),
}

/// What to do when the end is known.
#[derive(Debug)]
pub enum Farewell {
    /// Stay: others may need our blocks.
    Wait {
        /// Who has not confirmed the result yet.
        missing: Vec<ReplicaId>,
    },
    /// Hand this in, again and again until the ledger has it.
    Submit(Box<Transaction>),
    /// All have confirmed, or had the time to.
    Over,
}

/// How a ceremony ended for one member.
#[derive(Debug)]
pub struct Ended {
    /// The same for all.
    pub judgement: Judgement,
    /// This member's share, if there is a key. None also if it missed its verdict and a qualified dealer gave it a bad share.
    pub share: Option<Share>,
}

impl Participant {
    /// The member whose key this is. None if it is nobody's.
    pub fn new(ceremony: Ceremony, chain: ChainId, identity: IdentitySecret) -> Option<Self> {
        let me = ceremony.ids().zip(&ceremony.members).find(|(_, key)| **key == identity.public()).map(|(id, _)| id)?;
        Some(Self { ceremony, chain, me, identity, decided: None })
    }

    /// Which member this is.
    pub fn me(&self) -> ReplicaId {
        self.me
    }

    /// What to do when the ledger's head is at `head`, and `get` looks up keys of its state.
    pub fn next(&mut self, head: Height, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Next {
        if head >= self.ceremony.last_height() {
            return Next::Over(Box::new(self.end(&Board::read(&self.ceremony, get))));
        }
        let phase = self.ceremony.phase(head.next());
        if Board::has_said(phase, self.me, &get) {
            return Next::Wait;
        }
        if self.decided.as_ref().is_none_or(|(decided, _)| *decided != phase) {
            self.decided = Some((phase, self.say(phase, &get)));
        }
        match &self.decided {
            Some((_, Some(say))) => Next::Submit(Box::new(self.sign(self.nonce(get), say))),
            _ => Next::Wait,
        }
    }

    /// What to do once this member has kept what it needs of the end.
    pub fn farewell(&self, ended: &Ended, head: Height, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Farewell {
        let has_confirmed = |member: &ReplicaId| Board::has_said(Phase::Confirmations, *member, &get);
        let missing: Vec<_> = self.ceremony.ids().filter(|member| !has_confirmed(member)).collect();
        if missing.is_empty() || self.ceremony.phase(head.next()) == Phase::Over {
            return Farewell::Over;
        }
        if missing.contains(&self.me) {
            let say = Say::Confirm(ended.judgement.digest());
            return Farewell::Submit(Box::new(self.sign(self.nonce(get), &say)));
        }
        Farewell::Wait { missing }
    }

    fn say(&self, phase: Phase, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Say> {
        match phase {
            Phase::Dealing => Some(Say::Deal(self.deal())),
            Phase::Verdicts => Some(self.verdict(&Board::read(&self.ceremony, get))),
            Phase::Answers => self.answer(&Board::read(&self.ceremony, get)),
            Phase::Confirmations | Phase::Over => None,
        }
    }

    fn polynomial(&self) -> Polynomial {
        let seed = self.identity.ceremony_seed(self.chain);
        Polynomial::derive(&seed, POLYNOMIAL, self.ceremony.threshold())
    }

    /// The secret of the box for `recipient`: made for it alone, so that it can be revealed alone.
    pub fn box_secret(&self, recipient: ReplicaId) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(Digest::of(BOX, &(*self.identity.ceremony_seed(self.chain), recipient)).0)
    }

    /// What this member deals: always the same.
    ///
    /// # Panics
    /// If the ceremony is of no checked genesis: with more members than there may be, or with keys that are none.
    pub fn deal(&self) -> Deal {
        let polynomial = self.polynomial();
        let boxes = self.ceremony.ids().map(|to| {
            let share = polynomial.share(share_index(to)).expect("indices begin with one");
            self.seal(to, &*share.to_bytes())
        });
        let boxes = BoundedVec::new(boxes.collect()).expect("a checked genesis has few enough members");
        let proof = polynomial.prove::<MinSig>(&proof_context(self.chain, self.me));
        Deal { commitments: polynomial.commitments::<MinSig>(), proof, boxes }
    }

    /// A box from this member for another.
    ///
    /// # Panics
    /// As [`Participant::deal`].
    pub fn seal(&self, to: ReplicaId, content: &[u8]) -> Sealed {
        let secret = OpeningSecret::from_seed(*self.box_secret(to));
        seal(self.key_of(to), &box_context(self.chain, self.me, to), content, &secret).expect("a short content")
    }

    fn key_of(&self, member: ReplicaId) -> SealingKey {
        self.ceremony.members[member.index()].sealing_key().expect("a checked genesis has sound keys")
    }

    fn share_from(&self, dealer: ReplicaId, deal: &Deal) -> Option<Share> {
        let context = box_context(self.chain, dealer, self.me);
        let content = self.identity.opening_secret().open(&context, deal.boxes.get(self.me.index())?).ok()?;
        deal.share_in(self.me, &content)
    }

    fn verdict(&self, board: &Board) -> Say {
        let is_bad = |(dealer, deal): &(&ReplicaId, &Deal)| self.share_from(**dealer, deal).is_none();
        let others = board.deals.iter().filter(|(dealer, _)| **dealer != self.me);
        let against = others.filter(is_bad).map(|(dealer, _)| *dealer).collect();
        Say::Verdict(BoundedVec::new(against).expect("no more than members"))
    }

    /// None if nobody complained.
    fn answer(&self, board: &Board) -> Option<Say> {
        let answers: Vec<_> = board.complainers(self.me).map(|to| (to, *self.box_secret(to))).collect();
        let is_dealer = board.deals.contains_key(&self.me);
        (is_dealer && !answers.is_empty()).then(|| Say::Answer(BoundedVec::new(answers).expect("no more than members")))
    }

    fn nonce(&self, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> u64 {
        let stored = get(&account_key(&self.identity.public().account()));
        stored.and_then(|bytes| decode::<AccountState>(&bytes).ok()).unwrap_or_default().nonce
    }

    /// Signs a transaction of this member.
    ///
    /// # Panics
    /// If it is longer than a transaction may be, as no word of a checked ceremony is.
    pub fn sign(&self, nonce: u64, say: &Say) -> Transaction {
        let payload = BoundedVec::new(encode(say)).expect("a checked genesis has few enough members");
        let client = self.identity.client();
        client.sign(TransactionBody { chain: self.chain, sender: client.account(), nonce, payload })
    }

    fn end(&self, board: &Board) -> Ended {
        let judgement = judge(&self.ceremony, self.chain, board);
        let own = |dealer: &ReplicaId| self.share_from(*dealer, board.deals.get(dealer)?);
        let share = judgement.key.is_ok().then(|| judgement.qualified.iter().map(own).collect::<Option<Vec<_>>>());
        let share = share.flatten().and_then(|shares| Share::sum(&shares));
        Ended { judgement, share }
    }
}
