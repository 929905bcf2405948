//! The small world of these tests.

pub(super) use crate::test_net::{BASE, S, batch, id};
use crate::{
    pbft::{Message, Pbft},
    test_net,
};

pub(super) type Msg = Message<S>;
pub(super) type Node = Pbft<S>;
pub(super) type Net = test_net::Net<Node>;
