//! What both protocols' messages have in common, for attacks that are written once for both.

use crate::{Hands, mutate::Resign};
use quorate_types::{Block, Digest, View};

/// Which parts of a message say what. Whoever changes one signs the message again ([`Resign`]).
pub trait Craft: Resign {
    /// The block of a proposal, its leader's to make.
    fn proposed(message: &mut Self::Message) -> Option<&mut Block>;

    /// What an equivocating leader shows to others in place of a block, which may have shown them a twin of its parent.
    fn twin_beside(block: &Block, parent: Option<Digest>) -> Block;

    /// View and block of a vote.
    fn voted(message: &mut Self::Message) -> Option<(&mut View, &mut Digest)>;

    /// A message that says that its sender has left `view`, and never knew of any certificate.
    fn leave(view: View, hands: &Hands<Self>) -> Self::Message;

    /// The same answer to a fetch, with nothing in it; `None`: it is no such answer.
    fn empty(message: &Self::Message) -> Option<Self::Message>;
}
