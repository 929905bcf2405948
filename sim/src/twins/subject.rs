//! What a protocol must say of itself to be put among twins: how a scenario's leaders come to lead, and which of its messages belong to
//! the next round.

use crate::{SimProtocol, SymbolicHotStuff, SymbolicPbft};
use quorate_consensus::{Election, Kind, Leaders, Protocol};
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, View};

/// A protocol that scenarios can be run with.
pub trait Subject: SimProtocol + Protocol<Scheme = Symbolic> {
    /// Times that timers must run out without effect before nothing can be expected of them any more.
    const PATIENCE: usize;

    /// How replicas must elect for these leaders to lead, if the protocol elects.
    fn election(leaders: &[ReplicaId]) -> Election;

    /// In which view each round takes place: one that its leader leads. Views in between are passed over.
    fn views(leaders: &[ReplicaId], nodes: usize) -> Vec<View>;

    /// Whether a message is said to those who are heard in the round after that of its view.
    fn is_of_next_round(message: &Self::Message) -> bool;

    /// Whether a message brings its receivers through a view that is passed over, in which nothing else is heard.
    fn passes_over(message: &Self::Message) -> bool;
}

/// One phase a view: its rounds are its views, led by whoever the scenario wants.
impl Subject for SymbolicHotStuff {
    const PATIENCE: usize = 1;

    fn election(leaders: &[ReplicaId]) -> Election {
        Election::Listed(Leaders::of_first_views(leaders).expect("a family's views can be listed"))
    }

    fn views(leaders: &[ReplicaId], _: usize) -> Vec<View> {
        (1..).map(View).take(leaders.len()).collect()
    }

    fn is_of_next_round(_: &Self::Message) -> bool {
        false
    }

    fn passes_over(_: &Self::Message) -> bool {
        false
    }
}

/// Primaries take turns, so a round takes place in the next view whose turn is its leader's, and in the views before that one nothing but
/// VIEW-CHANGEs is heard. Two phases a view: were both heard by the same replicas, whatever is prepared would be committed, and no
/// view change would have anything to carry over. COMMITs are therefore said into the next round, before anybody gives up the view.
impl Subject for SymbolicPbft {
    // A progress timer runs in two halves.
    const PATIENCE: usize = 2;

    fn election(_: &[ReplicaId]) -> Election {
        Election::RoundRobin
    }

    fn views(leaders: &[ReplicaId], nodes: usize) -> Vec<View> {
        let nodes = u64::try_from(nodes).expect("few replicas");
        let turn_after = |last: &mut u64, leader: &ReplicaId| {
            *last = (*last + 1..).find(|view| view % nodes == u64::from(leader.0))?;
            Some(View(*last))
        };
        leaders.iter().scan(0, turn_after).collect()
    }

    fn is_of_next_round(message: &Self::Message) -> bool {
        message.kind() == "commit"
    }

    fn passes_over(message: &Self::Message) -> bool {
        message.kind() == "view_change"
    }
}
