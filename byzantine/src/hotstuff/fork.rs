//! Extends an older certificate than the newest, and so leaves out what stands on that.

use crate::{Attack, Hands, mutate::hotstuff::repropose};
use quorate_consensus::{
    Event,
    hotstuff::{HotStuff, Message, Proposal},
};
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};
use std::collections::BTreeMap;

/// Proposals remembered. When full, the one of the lowest view goes.
const REMEMBERED: usize = 8;

/// From where.
#[derive(Clone, Copy, Debug)]
pub(super) enum Root {
    /// From below the block of the leader before (the tail fork of Jalalzai et al., *Fast-HotStuff*, 2021).
    Parent,
    /// From the oldest certificate that it remembers.
    Oldest,
}

#[derive(Debug)]
pub(super) struct Fork<S: Scheme> {
    root: Root,
    seen: BTreeMap<View, Proposal<S>>,
}

impl<S: Scheme> Fork<S> {
    pub(super) fn new(root: Root) -> Self {
        Self { root, seen: BTreeMap::new() }
    }

    fn learn(&mut self, proposal: &Proposal<S>) {
        self.seen.insert(proposal.justified.block.header.view, proposal.clone());
        while self.seen.len() > REMEMBERED {
            self.seen.pop_first();
        }
    }

    /// A sibling of a block that was proposed before, as its own block of now: what it executes and where is good.
    fn fork(&self, own: &Proposal<S>, hands: &Hands<HotStuff<S>>) -> Option<Proposal<S>> {
        let header = &own.justified.block.header;
        let is_parent = |old: &&Proposal<S>| old.justified.block.digest() == header.parent;
        let sibling = match self.root {
            Root::Parent => self.seen.values().find(is_parent),
            Root::Oldest => self.seen.values().next().filter(|old| old.justified.block.header.height < header.height),
        }?;
        let mut fork = Proposal { entry: own.entry.clone(), ..sibling.clone() };
        let forked = &mut fork.justified.block.header;
        (forked.view, forked.proposer) = (header.view, hands.me);
        repropose(&mut fork, hands);
        Some(fork)
    }
}

impl<S: Scheme> Attack<HotStuff<S>> for Fork<S> {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<HotStuff<S>>) {
        let Message::Proposal(own) = message else { return hands.tell(to, message) };
        self.learn(&own);
        let fork = self.fork(&own, hands).map(Box::new);
        hands.tell(to, Message::Proposal(fork.unwrap_or(own)));
    }

    fn see(&mut self, event: &Event<Message<S>>, _hands: &mut Hands<HotStuff<S>>) {
        if let Event::Received { message, .. } = event
            && let Message::Proposal(proposal) = message.clone().into_inner()
        {
            self.learn(&proposal);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<HotStuff<S>>> {
        Box::new(Self { root: self.root, seen: self.seen.clone() })
    }
}
