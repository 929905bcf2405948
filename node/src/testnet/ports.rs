//! Free ports on loopback.

use crate::exit::Failure;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// The first port tried: `node<i>` listens for validators at `base + i`, for clients at `base + 100 + i`.
pub(crate) const FIRST: u16 = 26600;
/// From a validators' port to the same node's clients' port.
const CLIENTS: u16 = 100;
/// How far apart the bases tried are.
const STEP: u16 = 200;

/// The addresses of one node: for validators and for clients.
pub(crate) type Addresses = (SocketAddr, SocketAddr);

/// Addresses for `nodes` validators: at `base` if it is given, else those used `before` if they are free, else at the first
/// base where all are free.
pub(crate) fn choose(nodes: usize, base: Option<u16>, before: &[Addresses]) -> Result<Vec<Addresses>, Failure> {
    if let Some(base) = base {
        let all = at(base, nodes)
            .ok_or_else(|| Failure::usage(format!("--base-port {base}: no room for {nodes} nodes above it")))?;
        return match taken(&all) {
            None => Ok(all),
            Some(address) => Err(Failure::environment(format!("port {} is in use", address.port()))
                .hint("another --base-port, or none: then free ports are found")),
        };
    }
    if before.len() == nodes && taken(before).is_none() {
        return Ok(before.to_vec());
    }
    let mut bases = (FIRST..=u16::MAX).step_by(usize::from(STEP).max(nodes)).filter_map(|base| at(base, nodes));
    bases
        .find(|all| taken(all).is_none())
        .ok_or_else(|| Failure::environment(format!("no {} free ports above {FIRST}", 2 * nodes)).hint("--base-port"))
}

fn at(base: u16, nodes: usize) -> Option<Vec<Addresses>> {
    // More nodes than the gap holds: clients' ports follow all the validators'.
    let gap = usize::from(CLIENTS).max(nodes);
    let address = |port: usize| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok()?)));
    (0..nodes)
        .map(|node| Some((address(usize::from(base) + node)?, address(usize::from(base) + gap + node)?)))
        .collect()
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
    fn taken_ports_are_avoided_and_a_taken_base_is_an_error() {
        let all = choose(2, None, &[]).expect("some ports are free");
        let _held = TcpListener::bind(all[1].1).expect("free a moment ago");
        let others = choose(2, None, &all).expect("others are free");
        assert!(others.iter().all(|addresses| !all.contains(addresses)));
        let failure = choose(2, Some(all[0].0.port()), &[]).expect_err("one of them is taken");
        assert!(failure.to_string().contains(&format!("port {} is in use", all[1].1.port())), "{failure}");
    }

    #[test]
    fn the_ports_used_before_are_kept_when_free() {
        let first = choose(3, None, &[]).expect("some ports are free");
        assert_eq!(choose(3, None, &first), Ok(first));
    }

    #[test]
    fn a_base_without_room_is_refused() {
        assert!(choose(4, Some(65_500), &[]).is_err());
    }
}
