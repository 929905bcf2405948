//! What is held against others, through the core: who is told, what is believed, and what a liar can make of it.

use quorate_consensus::{
    BatchLimits, Config, Election, Evidence, Exhibit, Keys, Mempool, Proof, Protocol, SeenCertificates, Timeouts,
    hotstuff::{Ballot, HotStuff, Message, Record, Vote},
};
use quorate_crypto::{Scheme, Statement, Symbolic, conformance};
use quorate_types::{Block, BoundedVec, Digest, Epoch, Header, Height, ReplicaId, View, encode};
use quorate_validator::{
    Charge, Checked, Core, CoreTimer, Docket, Effect, Input, Testimony, TransactionChecks, Wire, WireKeys,
};
use std::{sync::Arc, time::Duration};

type Node = HotStuff<Symbolic>;

const LIAR: ReplicaId = ReplicaId(3);
/// Its slanders are told by this one.
const ACCOMPLICE: ReplicaId = ReplicaId(2);
const HONEST: ReplicaId = ReplicaId(1);

struct World {
    keys: WireKeys<Keys<Symbolic>>,
    core: Core<Node>,
}

/// Replica 0 of four.
fn world() -> World {
    let (scheme, committee) = (Symbolic::new(conformance::committee(4), 1), conformance::committee(4));
    let chain = committee.chain();
    let genesis = Header {
        chain,
        epoch: Epoch(0),
        height: Height::GENESIS,
        view: View::GENESIS,
        parent: Digest::ZERO,
        proposer: ReplicaId(0),
        payload_root: Block::payload_root(&[]),
        state_root: Digest::ZERO,
        timestamp: 0,
    };
    let keys = Keys::new(scheme.clone(), &genesis);
    let me = ReplicaId(0);
    let config = Config {
        id: me,
        secret: scheme.secret(me),
        scheme,
        election: Election::RoundRobin,
        timeouts: Timeouts { base: Duration::from_secs(1), max: Duration::from_secs(1), block_interval: None },
        max_block_batches: 8,
        checkpoint_interval: 64,
        genesis: genesis.clone(),
        head: genesis,
        head_proof: None,
        recent: Vec::new(),
        seen: SeenCertificates::default(),
    };
    let replica = Node::recover(config, Vec::<Record<Symbolic>>::new());
    let pool = Mempool::new(me, committee, BatchLimits::default());
    let core = Core::new(replica, pool, Docket::new::<Node>(me, keys.clone()));
    World { keys: WireKeys { consensus: keys, transactions: TransactionChecks::new(chain) }, core }
}

impl World {
    fn vote(&self, by: ReplicaId, view: u64, block: u8) -> Vote<Symbolic> {
        let ballot = Ballot { view: View(view), height: Height(1), block: Digest([block; 32]) };
        let scheme = &self.keys.consensus.scheme;
        Vote { ballot, voter: by, signature: scheme.sign(&scheme.secret(by), &ballot) }
    }

    /// Two votes of `signer` in one view, said to be of `accused`.
    fn evidence(&self, accused: ReplicaId, signer: ReplicaId, view: u64) -> Evidence {
        let exhibit = |block| {
            let vote = self.vote(signer, view, block);
            let content = BoundedVec::new(encode(&vote.ballot)).expect("small");
            Exhibit { content, proof: Proof::Vote(BoundedVec::new(encode(&vote.signature)).expect("small")) }
        };
        let (first, second) = (exhibit(1), exhibit(2));
        Evidence { accused, kind: Ballot::KIND.into(), view: View(view), height: None, first, second }
    }

    fn hear(&mut self, from: ReplicaId, wire: Wire<Message<Symbolic>>) -> Vec<Effect> {
        let message = Checked::check(wire, from, &self.keys).expect("well formed");
        self.core.handle(Input::Received { from, message }).effects
    }

    fn shown(&mut self, from: ReplicaId, evidence: Evidence) -> Vec<Effect> {
        self.hear(from, Wire::Evidence(Testimony::Proof(Arc::new(evidence))))
    }

    fn knows(&mut self, from: ReplicaId) {
        let charge = Charge { accused: LIAR, kind: Ballot::KIND.into() };
        assert_eq!(testimonies(&self.hear(from, Wire::Evidence(Testimony::Known(charge)))), Vec::new());
    }

    fn held(&self) -> Vec<ReplicaId> {
        self.core.docket().charges().map(|charge| charge.accused).collect()
    }
}

/// Who is told what.
fn testimonies(effects: &[Effect]) -> Vec<(u16, &'static str)> {
    let told = |effect: &Effect| match effect {
        Effect::Testify { to, testimony: Testimony::Proof(_) } => Some((to.0, "proof")),
        Effect::Testify { to, testimony: Testimony::Known(_) } => Some((to.0, "known")),
        _ => None,
    };
    effects.iter().filter_map(told).collect()
}

fn accusations(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Accuse(_))).count()
}

fn timer(effects: &[Effect]) -> Option<(CoreTimer, Duration)> {
    effects.iter().find_map(|effect| match effect {
        Effect::SetTimer { timer: timer @ CoreTimer::Testify(_), after } => Some((*timer, *after)),
        _ => None,
    })
}

#[test]
fn what_the_replica_finds_out_is_told_to_all_and_again_to_those_who_are_silent() {
    let mut world = world();
    let votes = [1, 2].map(|block| Wire::Consensus(Message::Vote(world.vote(LIAR, 1, block))));
    let effects = votes.map(|vote| world.hear(LIAR, vote));
    assert_eq!(testimonies(&effects[0]), []);
    assert_eq!(testimonies(&effects[1]), [(1, "proof"), (2, "proof"), (3, "proof")]);
    assert_eq!(accusations(&effects[1]), 0, "the step itself accuses");
    let (mut due, mut after) = timer(&effects[1]).expect("it is told again");
    let mut pauses = vec![after.as_secs()];
    world.knows(HONEST);
    world.knows(LIAR);
    for _ in 0..10 {
        let again = world.core.handle(Input::TimedOut(due)).effects;
        assert_eq!(testimonies(&again), [(2, "proof")]);
        assert_eq!(timer(&world.core.handle(Input::TimedOut(due)).effects), None, "a stale timer is none");
        (due, after) = timer(&again).expect("and again");
        pauses.push(after.as_secs());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
    world.knows(ACCOMPLICE);
    let last = world.core.handle(Input::TimedOut(due)).effects;
    assert_eq!((testimonies(&last), timer(&last)), (vec![], None), "everybody knows it");
}

#[test]
fn one_that_is_connected_again_is_told_again_however_often_but_not_at_once() {
    let mut world = world();
    let told = world.shown(HONEST, world.evidence(LIAR, LIAR, 5));
    world.knows(ACCOMPLICE);
    world.knows(LIAR);
    let (due, _) = timer(&told).expect("it is told again");
    assert_eq!(timer(&world.core.handle(Input::TimedOut(due)).effects), None, "everybody knows it");
    let back = world.core.handle(Input::Connected(ACCOMPLICE)).effects;
    let (due, after) = timer(&back).expect("it may have lost its disk");
    assert_eq!((testimonies(&back), after.as_secs()), (vec![], 1));
    assert_eq!(timer(&world.core.handle(Input::Connected(ACCOMPLICE)).effects), None, "it is due already");
    assert_eq!(testimonies(&world.core.handle(Input::TimedOut(due)).effects), [(2, "proof")]);
}

#[test]
fn what_a_peer_proves_is_kept_and_passed_on_once() {
    let mut world = world();
    let effects = world.shown(HONEST, world.evidence(LIAR, LIAR, 5));
    assert_eq!(accusations(&effects), 1);
    assert_eq!(testimonies(&effects), [(2, "proof"), (3, "proof"), (1, "known")]);
    let again = world.shown(ACCOMPLICE, world.evidence(LIAR, LIAR, 5));
    assert_eq!((accusations(&again), testimonies(&again)), (0, vec![(2, "known")]));
    // Of the same kind, in as many views as you like: one piece is held, and nothing is verified any more.
    for view in 6..1000 {
        let effects = world.shown(ACCOMPLICE, world.evidence(LIAR, LIAR, view));
        assert_eq!((accusations(&effects), testimonies(&effects)), (0, vec![(2, "known")]));
    }
    assert_eq!(world.held(), [LIAR]);
    assert!(world.core.docket().slanderers().is_empty());
}

#[test]
fn whoever_slanders_is_not_listened_to_again_and_harms_nobody() {
    let mut world = world();
    let slander = world.evidence(HONEST, ACCOMPLICE, 5);
    let effects = world.shown(ACCOMPLICE, slander.clone());
    let why = effects.iter().find_map(|effect| match effect {
        Effect::Slandered { by, why } => Some((*by, why.to_string())),
        _ => None,
    });
    assert_eq!(why, Some((ACCOMPLICE, "bad signature of replica 1".into())));
    assert_eq!((accusations(&effects), testimonies(&effects)), (0, vec![]));
    for evidence in [slander, world.evidence(LIAR, LIAR, 5)] {
        assert!(world.shown(ACCOMPLICE, evidence).is_empty(), "not even the truth");
    }
    assert_eq!(world.held(), []);
    assert_eq!(accusations(&world.shown(HONEST, world.evidence(LIAR, LIAR, 5))), 1, "others are heard");
    assert_eq!(world.held(), [LIAR]);
    // What is proven by another is no news to the slanderer either.
    assert_eq!(testimonies(&world.shown(ACCOMPLICE, world.evidence(LIAR, LIAR, 5))), [(2, "known")]);
}

#[test]
fn kinds_that_nobody_knows_and_strangers_are_slander_too() {
    let made_up = |world: &World| Evidence { kind: "hotstuff/smell".into(), ..world.evidence(LIAR, LIAR, 5) };
    let stranger = |world: &World| Evidence { accused: ReplicaId(4), ..world.evidence(LIAR, LIAR, 5) };
    for lie in [made_up, stranger] {
        let mut world = world();
        let effects = world.shown(ACCOMPLICE, lie(&world));
        assert!(matches!(effects[..], [Effect::Slandered { by: ACCOMPLICE, .. }]));
        assert_eq!(world.held(), []);
    }
}

#[test]
fn proof_against_more_than_f_members_stops_it_once_and_is_told_first() {
    let halts = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Halt(_))).count();
    let mut world = world();
    let first = world.shown(HONEST, world.evidence(LIAR, LIAR, 5));
    assert_eq!(halts(&first), 0, "one of four may lie");
    let second = world.shown(HONEST, world.evidence(ACCOMPLICE, ACCOMPLICE, 5));
    assert_eq!((accusations(&second), halts(&second)), (1, 1));
    assert!(matches!(second.last(), Some(Effect::Halt(why)) if why.contains("replica 2, replica 3")), "{second:?}");
    assert_eq!(halts(&world.core.handle(Input::Connected(HONEST)).effects), 0);
    // It does not go on when it is started again.
    let mut again = self::world();
    again.core.recall(again.evidence(LIAR, LIAR, 5));
    again.core.recall(again.evidence(ACCOMPLICE, ACCOMPLICE, 5));
    assert_eq!(halts(&again.core.handle(Input::Started).effects), 1);
}

#[test]
fn what_was_kept_is_told_after_a_restart() {
    let mut world = world();
    world.core.recall(world.evidence(LIAR, LIAR, 5));
    let effects = world.core.handle(Input::Started).effects;
    assert_eq!(testimonies(&effects), [(1, "proof"), (2, "proof"), (3, "proof")]);
    assert_eq!(accusations(&effects), 0, "it is kept already");
}
