//! An attack of one's own, and what becomes of it: `cargo run -p quorate-sim --example my_attack [SEED]`.
//!
//! `Grudge` votes for nothing that one leader proposes. docs/my-attack.md explains each part.

use quorate_byzantine::{Attack, Byzantine, Hands, Target};
use quorate_consensus::{
    Event,
    hotstuff::{HotStuff, Message},
};
use quorate_crypto::Symbolic;
use quorate_sim::{Cluster, SymbolicHotStuff};
use quorate_types::{Digest, ReplicaId};
use std::{collections::BTreeMap, time::Duration};

/// Remembered proposals. The lowest digest goes first, which is as good as any.
const REMEMBERED: usize = 64;

/// What the attack is against, and what it has seen.
#[derive(Clone, Debug)]
struct Grudge {
    target: Target,
    proposers: BTreeMap<Digest, ReplicaId>,
}

impl Attack<HotStuff<Symbolic>> for Grudge {
    /// Called before the honest replica in it hears of anything.
    fn see(&mut self, event: &Event<Message<Symbolic>>, _hands: &mut Hands<HotStuff<Symbolic>>) {
        let Event::Received { message, .. } = event else { return };
        if let Message::Proposal(proposal) = message.clone().into_inner() {
            if self.proposers.len() >= REMEMBERED {
                self.proposers.pop_first();
            }
            let block = &proposal.justified.block;
            self.proposers.insert(block.digest(), block.header.proposer);
        }
    }

    /// Called for each message of the honest replica. What does not go through `hands` is not said.
    fn tell(&mut self, to: ReplicaId, message: Message<Symbolic>, hands: &mut Hands<HotStuff<Symbolic>>) {
        let proposer = match &message {
            Message::Vote(vote) => self.proposers.get(&vote.ballot.block),
            _ => None,
        };
        if proposer.is_none_or(|proposer| !self.target.hits(*proposer)) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<Symbolic>>> {
        Box::new(self.clone())
    }
}

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let attack = |target: &Target| -> Box<dyn Attack<HotStuff<Symbolic>>> {
        Box::new(Grudge { target: target.clone(), proposers: BTreeMap::new() })
    };
    // From view 5 on, replica 1 has a grudge against replica 2.
    let target = Target::from_view(5).against([2]);
    let builder = Cluster::of::<Byzantine<SymbolicHotStuff>>().replicas(4).seed(seed);
    let mut cluster = builder.corrupt(1, target, attack).build();
    for round in 0..100 {
        cluster.submit_at(0, [format!("{round}")]);
        cluster.run_for(Duration::from_millis(20));
    }
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger((0..100).map(|round| format!("{round}")));
    println!("seed {seed}: {} votes withheld", cluster.deeds(1));
    println!("{} blocks in {} views, all of one chain", cluster.committed().0, cluster.view(0).0);
    println!("{} accusations: to say nothing proves nothing", cluster.accusations().count());
}
