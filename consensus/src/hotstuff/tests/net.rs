//! The small world of these tests.

pub(super) use crate::test_net::{BASE, S, batch, child, genesis, id};
use crate::{
    hotstuff::{HotStuff, Message},
    test_net,
};

pub(super) type Msg = Message<S>;
pub(super) type Node = HotStuff<S>;
pub(super) type Net = test_net::Net<Node>;
