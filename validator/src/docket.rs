//! What this validator holds against others, and who has heard of it.
//!
//! - **Told.** Whoever comes by proof of a fault tells everybody else, and tells again, ever more seldom, those who have not said that
//!   they know it: it reaches whoever was down or cut off.
//! - **Judged first.** What a peer shows is verified before it is kept or passed on. It must prove, with the genesis alone, that the
//!   accused did it, so no liar can have an honest replica accused.
//! - **Once.** Of each member one proof of each kind is held, the first. What is known is not verified again, whoever shows it.
//! - **Too many.** Proof against more than f members is proof that nothing which a quorum says can be relied on. A replica stops over
//!   it, rather than go on with one of two chains.
//! - **One lie.** Whose proof proves nothing is not listened to again until this process ends. No honest replica passes on what it has
//!   not verified.
//!
//! So all that peers can show costs one verification for each member and kind, and one more for each liar: little enough to be done
//! where it is heard, and nothing at all in a committee without faults, which exchanges no message about this.

use crate::{CoreTimer, Effect};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_consensus::{Evidence, Keys, Protocol, Rejection};
use quorate_types::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

/// How soon it is told again.
const FIRST: Duration = Duration::from_secs(1);
/// How seldom it is told at last.
const LONGEST: Duration = Duration::from_secs(60);

/// What somebody is accused of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Charge {
    /// Who.
    pub accused: ReplicaId,
    /// Of what kind of fault.
    pub kind: String,
}

impl Charge {
    /// What `evidence` is for.
    pub fn of(evidence: &Evidence) -> Self {
        Self { accused: evidence.accused, kind: evidence.kind.clone() }
    }
}

/// What replicas tell each other about faults.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Testimony {
    /// This proves a fault. Who takes it answers with [`Known`](Self::Known).
    Proof(Arc<Evidence>),
    /// The sender holds proof of this.
    Known(Charge),
}

type Verify = dyn Fn(&Evidence) -> Result<(), Rejection> + Send + Sync;

/// The proofs that one validator holds.
pub struct Docket {
    others: Vec<ReplicaId>,
    verify: Box<Verify>,
    cases: BTreeMap<Charge, Case>,
    /// Who has shown something that proves nothing.
    slanderers: BTreeSet<ReplicaId>,
    /// The timer that counts; those set before are stale.
    timer: u64,
    /// How long it runs, if it does.
    pause: Option<Duration>,
}

#[derive(Debug)]
struct Case {
    proof: Arc<Evidence>,
    known_to: BTreeSet<ReplicaId>,
}

impl Docket {
    /// An empty one of the replica `me`.
    pub fn new<P: Protocol>(me: ReplicaId, keys: Keys<P::Scheme>) -> Self {
        Self {
            others: keys.committee().others(me).collect(),
            verify: Box::new(move |evidence| evidence.verify::<P>(&keys)),
            cases: BTreeMap::new(),
            slanderers: BTreeSet::new(),
            timer: 0,
            pause: None,
        }
    }

    /// Who has shown something that proves nothing, and is not listened to any more.
    pub fn slanderers(&self) -> &BTreeSet<ReplicaId> {
        &self.slanderers
    }

    /// What is proven.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.cases.keys()
    }

    /// Who is convicted, if that is more than the protocol bears.
    pub(crate) fn too_many(&self) -> Option<BTreeSet<ReplicaId>> {
        let convicted: BTreeSet<_> = self.charges().map(|charge| charge.accused).collect();
        let most = self.others.len() / 3;
        (convicted.len() > most).then_some(convicted)
    }

    /// Takes in what is proven, and tells it to all but whoever brought it. Nothing of what is held already.
    pub(crate) fn hold(&mut self, proof: Arc<Evidence>, by: Option<ReplicaId>, effects: &mut Vec<Effect>) {
        let charge = Charge::of(&proof);
        if self.cases.contains_key(&charge) {
            return;
        }
        let case = Case { proof, known_to: by.into_iter().collect() };
        effects.extend(case.telling(&self.others));
        self.cases.insert(charge, case);
        self.hurry(effects);
    }

    /// A peer says something.
    pub(crate) fn hear(&mut self, from: ReplicaId, testimony: Testimony, effects: &mut Vec<Effect>) {
        match testimony {
            Testimony::Known(charge) => {
                if let Some(case) = self.cases.get_mut(&charge) {
                    case.known_to.insert(from);
                }
            }
            Testimony::Proof(proof) => self.judge(from, proof, effects),
        }
    }

    fn judge(&mut self, from: ReplicaId, proof: Arc<Evidence>, effects: &mut Vec<Effect>) {
        let charge = Charge::of(&proof);
        if let Some(case) = self.cases.get_mut(&charge) {
            case.known_to.insert(from);
        } else if self.slanderers.contains(&from) {
            return;
        } else if let Err(why) = (self.verify)(&proof) {
            self.slanderers.insert(from);
            return effects.push(Effect::Slandered { by: from, why });
        } else {
            effects.push(Effect::Accuse(Box::new((*proof).clone())));
            self.hold(proof, Some(from), effects);
        }
        effects.push(Effect::Testify { to: from, testimony: Testimony::Known(charge) });
    }

    /// The peer is back, and may have forgotten what it knew.
    pub(crate) fn connected(&mut self, peer: ReplicaId, effects: &mut Vec<Effect>) {
        for case in self.cases.values_mut() {
            case.known_to.remove(&peer);
        }
        if !self.cases.is_empty() {
            self.hurry(effects);
        }
    }

    pub(crate) fn on_timer(&mut self, timer: u64, effects: &mut Vec<Effect>) {
        if timer != self.timer {
            return;
        }
        let before = effects.len();
        effects.extend(self.cases.values().flat_map(|case| case.telling(&self.others)));
        let pause = self.pause.take().unwrap_or(FIRST);
        if effects.len() > before {
            self.set_timer(LONGEST.min(pause * 2), effects);
        }
    }

    /// Tells again soon. A timer that will run out soon is left alone: news after news must not put it off for ever.
    fn hurry(&mut self, effects: &mut Vec<Effect>) {
        if self.pause != Some(FIRST) {
            self.set_timer(FIRST, effects);
        }
    }

    fn set_timer(&mut self, pause: Duration, effects: &mut Vec<Effect>) {
        self.timer += 1;
        self.pause = Some(pause);
        effects.push(Effect::SetTimer { timer: CoreTimer::Testify(self.timer), after: pause });
    }
}

impl Case {
    /// To everybody who does not know it.
    fn telling<'a>(&'a self, others: &'a [ReplicaId]) -> impl Iterator<Item = Effect> + 'a {
        let untold = others.iter().filter(|other| !self.known_to.contains(other));
        untold.map(|to| Effect::Testify { to: *to, testimony: Testimony::Proof(self.proof.clone()) })
    }
}

impl fmt::Debug for Docket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, slanderers, .. } = self;
        f.debug_struct("Docket").field("cases", cases).field("slanderers", slanderers).finish_non_exhaustive()
    }
}
