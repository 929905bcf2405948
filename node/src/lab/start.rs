//! A validator that can be made to fail, of whichever protocol and scheme its genesis names.
//!
//! The same choice as [`for_protocol_of`](quorate_validator::for_protocol_of) makes, among protocols that attacks are known of.

use super::{
    Lab,
    control::Tools,
    hands::{Bench, Hands},
};
use crate::{
    handle::{Handle, NodeConfig, StartError},
    runtime::{Around, start_as},
};
use quorate_byzantine::{Attacks, Spoil};
use quorate_consensus::{hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{
    Counted, Ed25519List,
    bls::{BlsMulti, BlsThreshold, MinPk, MinSig},
};
use quorate_ledger::{Genesis, Protocol, SchemeKind};
use quorate_validator::GenesisScheme;
use std::sync::Arc;

/// Starts a validator in a lab.
pub(crate) async fn start(config: NodeConfig) -> Result<Handle, StartError> {
    match config.genesis.scheme {
        SchemeKind::Ed25519 => under::<Ed25519List>(config).await,
        SchemeKind::BlsMulti => under::<BlsMulti<MinSig>>(config).await,
        SchemeKind::BlsMultiMinPk => under::<BlsMulti<MinPk>>(config).await,
        SchemeKind::BlsThreshold => under::<BlsThreshold<MinSig>>(config).await,
        SchemeKind::BlsThresholdMinPk => under::<BlsThreshold<MinPk>>(config).await,
    }
}

async fn under<S: GenesisScheme + Spoil>(config: NodeConfig) -> Result<Handle, StartError> {
    match config.genesis.protocol {
        Protocol::Hotstuff => in_lab::<HotStuff<Counted<S>>>(config).await,
        Protocol::Pbft => in_lab::<Pbft<Counted<S>>>(config).await,
    }
}

async fn in_lab<P: Attacks<Scheme: GenesisScheme>>(config: NodeConfig) -> Result<Handle, StartError> {
    let unusable = |error: quorate_validator::UnusableGenesis| StartError::Environment(error.to_string());
    let scheme = P::Scheme::of(&config.genesis).map_err(unusable)?;
    let elsewhere = Genesis { chain: format!("{}-elsewhere", config.genesis.chain), ..config.genesis.clone() };
    let tools = Arc::new(Tools::of(config.me));
    let bench = Arc::new(Bench::<P>::new(tools.clone(), P::Scheme::of(&elsewhere).ok()));
    let members = u16::try_from(config.genesis.validators.len()).unwrap_or(u16::MAX);
    let lab = Lab::new((config.me, members), config.fault_token.clone(), tools, bench.clone() as Arc<dyn Hands>);
    let handle = start_as::<P>(config, scheme, bench as Arc<dyn Around<P>>).await?;
    Ok(handle.in_lab(lab))
}
