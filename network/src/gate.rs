//! No single host may take all the places of incoming connections that have not yet proved who they are.
//!
//! libp2p's own limits count all hosts together: sixty-four half-open connections from one machine would shut out every
//! validator that wants to dial us. This behaviour counts per address, an IPv6 /64 as one. Our own machine is exempt: many
//! validators of a test network dial from there at once.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};
use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    task::{Context, Poll},
};

/// Counts pending incoming connections per address.
#[derive(Debug)]
pub(crate) struct Gate {
    max: u32,
    pending: HashMap<ConnectionId, IpAddr>,
    per_address: HashMap<IpAddr, u32>,
}

/// One host has too many connections that have not said who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{max} connections of {address} are pending already")]
pub(crate) struct Crowded {
    address: IpAddr,
    max: u32,
}

impl Gate {
    pub(crate) fn new(max: u32) -> Self {
        Self { max, pending: HashMap::new(), per_address: HashMap::new() }
    }

    fn enter(&mut self, connection: ConnectionId, address: IpAddr) -> Result<(), Crowded> {
        let count = self.per_address.entry(address).or_default();
        if *count >= self.max {
            return Err(Crowded { address, max: self.max });
        }
        *count += 1;
        self.pending.insert(connection, address);
        Ok(())
    }

    fn leave(&mut self, connection: ConnectionId) {
        let Some(address) = self.pending.remove(&connection) else { return };
        if let Some(count) = self.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }
}

/// The host, or the network that one host of the newer kind may have to itself. Nothing for our own machine.
fn host(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) if !ip.is_loopback() => Some(ip.into()),
        Protocol::Ip6(ip) if !ip.is_loopback() => Some(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into()),
        _ => None,
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match host(remote) {
            Some(address) => self.enter(connection, address).map_err(ConnectionDenied::new),
            None => Ok(()),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.leave(connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.leave(failure.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_cannot_take_all_places_and_gets_its_own_back() {
        let mut gate = Gate::new(2);
        let (crowd, other) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let id = ConnectionId::new_unchecked;
        assert_eq!(gate.enter(id(1), crowd), Ok(()));
        assert_eq!(gate.enter(id(2), crowd), Ok(()));
        assert_eq!(gate.enter(id(3), crowd), Err(Crowded { address: crowd, max: 2 }));
        assert_eq!(gate.enter(id(4), other), Ok(()));
        gate.leave(id(3));
        assert!(gate.enter(id(5), crowd).is_err(), "a refused connection holds no place to give back");
        gate.leave(id(1));
        assert_eq!(gate.enter(id(6), crowd), Ok(()));
        for connection in [2, 4, 6] {
            gate.leave(id(connection));
        }
        assert!(gate.per_address.is_empty() && gate.pending.is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_host() {
        let host = |text: &str| host(&text.parse().unwrap());
        assert_eq!(host("/ip6/2001:db8::1/tcp/1"), host("/ip6/2001:db8::ffff:2/tcp/2"));
        assert_ne!(host("/ip6/2001:db8::1/tcp/1"), host("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_ne!(host("/ip4/10.0.0.1/tcp/1"), host("/ip4/10.0.0.2/tcp/1"));
        assert_eq!(host("/ip4/127.0.0.1/tcp/1").or(host("/ip6/::1/tcp/1")), None);
    }
}
