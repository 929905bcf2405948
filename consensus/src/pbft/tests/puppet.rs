//! A replica whose process is the test: what is sent to it lies in an inbox, and it says what the test makes it say.

use super::{
    craft,
    net::{Msg, Net, S, id},
};
use crate::pbft::{Ballot, Checkpoint, Message, ViewChange};
use quorate_types::{Block, ReplicaId, View};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

pub(super) struct Puppet {
    pub(super) index: usize,
    inbox: Rc<RefCell<Vec<(ReplicaId, Msg)>>>,
    /// What the net loses besides.
    lost: Rc<RefCell<Lost>>,
}

type Lost = Box<dyn FnMut(ReplicaId, ReplicaId, &Msg) -> bool>;

impl Puppet {
    /// Takes the place of a replica.
    pub(super) fn replace(net: &mut Net, index: usize) -> Self {
        net.crash(index);
        let lost: Rc<RefCell<Lost>> = Rc::new(RefCell::new(Box::new(|_, _, _| false)));
        let puppet = Self { index, inbox: Rc::default(), lost };
        let (inbox, lost) = (puppet.inbox.clone(), puppet.lost.clone());
        net.filter = Box::new(move |from, to, message| {
            if to == id(index) {
                inbox.borrow_mut().push((from, message.clone()));
            }
            to != id(index) && !(lost.borrow_mut())(from, to, message)
        });
        puppet
    }

    /// Messages that are lost from now on.
    pub(super) fn lose(&self, lost: impl FnMut(ReplicaId, ReplicaId, &Msg) -> bool + 'static) {
        *self.lost.borrow_mut() = Box::new(lost);
    }

    pub(super) fn lose_nothing(&self) {
        self.lose(|_, _, _| false);
    }

    /// Says this to each of these.
    pub(super) fn tell(&self, net: &mut Net, to: &[usize], say: impl FnOnce(&Net) -> Msg) {
        let message = say(net);
        to.iter().for_each(|to| net.deliver(id(self.index), id(*to), message.clone()));
    }

    /// Votes for a block in both phases, before these.
    pub(super) fn support(&self, net: &mut Net, to: &[usize], view: u64, block: &Block) {
        let ballot = Ballot::of(View(view), &block.header);
        self.tell(net, to, |net| craft::prepare(net, self.index, ballot));
        self.tell(net, to, |net| craft::commit(net, self.index, ballot));
    }

    /// Others' VIEW-CHANGEs for a view, the last of each.
    pub(super) fn changes(&self, view: u64) -> BTreeMap<usize, ViewChange<S>> {
        let inbox = self.inbox.borrow();
        let changes = inbox.iter().filter_map(|(from, message)| match message {
            Message::ViewChange(change) if change.view == View(view) => Some((from.index(), (**change).clone())),
            _ => None,
        });
        changes.collect()
    }

    /// Blocks that were proposed in a view, in the order in which they came, none twice.
    pub(super) fn proposals(&self, view: u64) -> Vec<Block> {
        let mut blocks: Vec<Block> = vec![];
        for (_, message) in self.inbox.borrow().iter() {
            match message {
                Message::PrePrepare(said) if said.view == View(view) && !blocks.contains(&said.block) => {
                    blocks.push(said.block.clone());
                }
                _ => {}
            }
        }
        blocks
    }

    /// Checkpoints that others voted for.
    pub(super) fn checkpoints(&self) -> Vec<(usize, Checkpoint)> {
        let inbox = self.inbox.borrow();
        let votes = inbox.iter().filter_map(|(from, message)| match message {
            Message::Checkpoint(vote) => Some((from.index(), vote.statement)),
            _ => None,
        });
        votes.collect()
    }
}

/// Makes it known to the world, as the pool of batches would: the puppet did not ask its host for it.
pub(super) fn publish(net: &mut Net, block: &Block) {
    net.blocks.insert(block.digest(), block.clone());
}
