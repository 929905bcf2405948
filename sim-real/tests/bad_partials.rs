//! Up to `f` members sign votes that spoil the certificates which they are combined into, in every view, under the real schemes:
//! certificates form all the same, as fast as without them, and each liar is named once by everybody, with proof.

use quorate_byzantine::{Attacks, Byzantine, Target};
use quorate_consensus::{Evidence, Keys, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::bls::{BlsMulti, BlsThreshold, MinSig};
use quorate_sim::{Cluster, SimProtocol, SimScheme};
use quorate_types::{Height, ReplicaId, decode, encode};
use std::{collections::BTreeMap, time::Duration};

const MS: Duration = Duration::from_millis(1);
const SEED: u64 = 11;
const BATCHES: usize = 24;

/// The last `f` members are liars.
fn liars(n: u16) -> Vec<u16> {
    (n - (n - 1) / 3..n).collect()
}

/// A batch every 20 ms, for as long as that takes and no longer.
fn busy<P: SimProtocol + Attacks>(n: u16, liars: &[u16]) -> Cluster<Byzantine<P>> {
    let builder = Cluster::of::<Byzantine<P>>().replicas(n.into()).seed(SEED).timeout(200 * MS).checkpoint_interval(8);
    let lie = |builder, liar: &u16| quorate_sim::Builder::attacker(builder, *liar, "bad-partials", Target::default());
    let mut cluster = liars.iter().fold(builder, lie).build();
    for round in 0..BATCHES {
        cluster.submit_at(0, [format!("{round}")]);
        cluster.run_for(20 * MS);
    }
    cluster
}

/// Whom each replica accused, how often, by evidence that survives the disk and holds for whoever has the genesis alone.
fn convicted<P: SimProtocol + Attacks>(cluster: &Cluster<Byzantine<P>>) -> BTreeMap<(ReplicaId, ReplicaId), usize> {
    let genesis = cluster.genesis();
    let scheme = P::Scheme::of(genesis.committee().expect("sound"), SEED);
    let keys = Keys::new(scheme, &genesis.block().header);
    let mut convicted = BTreeMap::new();
    for (accuser, evidence) in cluster.accusations() {
        let kept: Evidence = decode(&encode(evidence)).expect("its own encoding");
        assert_eq!(kept.verify::<P>(&keys), Ok(()), "{accuser} on {}", kept.kind);
        assert!(kept.kind.ends_with("/bad-signature"), "{}", kept.kind);
        *convicted.entry((accuser, kept.accused)).or_default() += 1;
    }
    convicted
}

fn bad_partials_are_survived<P: SimProtocol + Attacks>() {
    for n in [4, 7] {
        let liars = liars(n);
        let Height(peaceful) = busy::<P>(n, &[]).committed();
        let mut cluster = busy::<P>(n, &liars);
        let Height(attacked) = cluster.committed();
        assert!(
            peaceful > 10 && attacked * 10 >= peaceful * 8,
            "n={n}: {attacked} blocks where {peaceful} are possible"
        );
        cluster.settle();
        cluster.assert_agreement();
        cluster.assert_ledger((0..BATCHES).map(|round| format!("{round}")));
        assert_eq!(cluster.rejected(), 0, "n={n}: nothing is wrong with the votes on arrival");
        let convicted = convicted(&cluster);
        let honest = (0..n).filter(|replica| !liars.contains(replica));
        let each = honest.flat_map(|one| liars.iter().map(move |liar| (ReplicaId(one), ReplicaId(*liar))));
        // By what it sees itself, and by what another shows it first.
        assert!(
            each.clone().all(|pair| matches!(convicted.get(&pair), Some(1 | 2))),
            "n={n}: each liar is caught by each, and not again and again: {convicted:?}"
        );
        let of_honest = convicted.keys().filter(|(accuser, _)| !liars.contains(&accuser.0));
        assert_eq!(of_honest.count(), each.count(), "n={n}: nobody else is");
    }
}

#[test]
fn hotstuff_with_multi_signatures_names_them_and_loses_no_time() {
    bad_partials_are_survived::<HotStuff<BlsMulti<MinSig>>>();
}

#[test]
fn hotstuff_with_threshold_signatures_names_them_and_loses_no_time() {
    bad_partials_are_survived::<HotStuff<BlsThreshold<MinSig>>>();
}

#[test]
fn pbft_with_multi_signatures_names_them_and_loses_no_time() {
    bad_partials_are_survived::<Pbft<BlsMulti<MinSig>>>();
}

#[test]
fn pbft_with_threshold_signatures_names_them_and_loses_no_time() {
    bad_partials_are_survived::<Pbft<BlsThreshold<MinSig>>>();
}
