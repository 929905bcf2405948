//! Free ports on loopback.
//!
//! `node<i>` listens for validators at `base + i` and for clients at `base + 100 + i`. The testnet itself holds `base + 99`
//! as long as it runs, so that two testnets that start at the same moment do not find the same ports free.

use super::options::Options;
use crate::exit::Failure;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// The first base tried.
const FIRST: u16 = 26600;
/// From a validators' port to the same node's clients' port.
const CLIENTS: u16 = 100;
/// From the base to the port that the testnet holds: above the validators' ports, below the clients'.
const HELD: u16 = 99;
/// How far apart the bases tried are.
const STEP: usize = 200;

const _: () = assert!(Options::MAX_NODES <= HELD as usize);

/// The addresses of one node: for validators and for clients.
pub(crate) type Addresses = (SocketAddr, SocketAddr);

/// Addresses that no other testnet will choose until this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) addresses: Vec<Addresses>,
    _held: TcpListener,
}

/// Addresses for `nodes` validators: at `base` if it is given, else those used `before` if they are free, else at the first
/// base where all are free.
pub(crate) fn choose(nodes: usize, base: Option<u16>, before: &[Addresses]) -> Result<Reserved, Failure> {
    if let Some(base) = base {
        return reserve(base, nodes).map_err(|taken| match taken {
            None => Failure::usage(format!("--base-port {base}: no room for {nodes} nodes above it")),
            Some(address) => Failure::environment(format!("port {} is in use", address.port()))
                .hint("another --base-port, or none: then free ports are found"),
        });
    }
    let used = before.first().map(|(p2p, _)| p2p.port());
    let mut bases = used.into_iter().chain((FIRST..=u16::MAX).step_by(STEP));
    bases
        .find_map(|base| reserve(base, nodes).ok())
        .ok_or_else(|| Failure::environment(format!("no {} free ports above {FIRST}", 2 * nodes)).hint("--base-port"))
}

/// Takes the ports above `base`, or tells which is in use, or nothing if there is no room.
fn reserve(base: u16, nodes: usize) -> Result<Reserved, Option<SocketAddr>> {
    let addresses = at(base, nodes).ok_or(None)?;
    let held = local(base, HELD.into()).ok_or(None)?;
    // Held first, so that of two who look at the same time only one goes on.
    let listener = TcpListener::bind(held).map_err(|_| Some(held))?;
    match taken(&addresses) {
        Some(address) => Err(Some(address)),
        None => Ok(Reserved { addresses, _held: listener }),
    }
}

fn at(base: u16, nodes: usize) -> Option<Vec<Addresses>> {
    (0..nodes).map(|node| Some((local(base, node)?, local(base, usize::from(CLIENTS) + node)?))).collect()
}

fn local(base: u16, above: usize) -> Option<SocketAddr> {
    let port = u16::try_from(usize::from(base) + above).ok()?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn taken(all: &[Addresses]) -> Option<SocketAddr> {
    // Bound all at once, so that an address that stands twice is noticed.
    let mut held = Vec::new();
    for address in all.iter().flat_map(|(p2p, api)| [*p2p, *api]) {
        match TcpListener::bind(address) {
            Ok(listener) => held.push(listener),
            Err(_) => return Some(address),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_testnets_never_choose_the_same_ports_and_a_taken_base_is_an_error() {
        let first = choose(2, None, &[]).expect("some ports are free");
        let second = choose(2, None, &first.addresses).expect("others are free");
        assert!(second.addresses.iter().all(|addresses| !first.addresses.contains(addresses)));
        let base = first.addresses[0].0.port();
        drop(first);
        let client = TcpListener::bind(local(base, 101).expect("a port")).expect("free a moment ago");
        let failure = choose(2, Some(base), &[]).expect_err("one of them is taken");
        assert!(failure.to_string().contains(&format!("port {} is in use", base + 101)), "{failure}");
        drop(client);
    }

    #[test]
    fn the_ports_used_before_are_kept_when_free() {
        // Far from the ports that other tests choose, and below those that systems hand out for outgoing connections.
        let before = at(11_000, 3).expect("room");
        assert_eq!(choose(3, None, &before).expect("free").addresses, before);
    }

    #[test]
    fn a_base_without_room_is_refused() {
        assert!(choose(4, Some(65_500), &[]).is_err());
    }
}
