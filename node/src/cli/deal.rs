//! Dealing a threshold key in this process, for testnets and for those who trust one machine. Without a dealer: `quorate dkg`.

use crate::{exit::Failure, home::create_private_dir, output::Output};
use quorate_crypto::{
    KeyFile, Passphrase,
    bls::{self, MinPk, MinSig, Share},
};
use quorate_ledger::{Genesis, GenesisVariant, SchemeKind};
use std::path::Path;

/// Deals a threshold key for the validators of a draft. The polynomial is wiped before this returns.
pub(crate) fn deal(draft: Genesis, scheme: SchemeKind, output: Output) -> Result<(Genesis, Vec<Share>), Failure> {
    output.note("warning: trusted dealer: this process made the threshold key and could have kept it; for testnets");
    match scheme {
        SchemeKind::BlsThresholdMinPk => deal_as::<MinPk>(draft),
        _ => deal_as::<MinSig>(draft),
    }
}

fn deal_as<V: GenesisVariant>(draft: Genesis) -> Result<(Genesis, Vec<Share>), Failure> {
    let unusable = |error: String| Failure::usage(format!("this genesis would not work: {error}"));
    let committee = draft.committee().map_err(|error| unusable(error.to_string()))?;
    let dealing = bls::deal::<V>(committee.size(), committee.quorum());
    let genesis = draft.with_threshold(dealing.commitments).map_err(|error| unusable(error.to_string()))?;
    Ok((genesis, dealing.shares))
}

/// Writes each validator's share under its name into a new directory.
pub(super) fn save_shares(
    dir: &Path,
    dealt: &Genesis,
    shares: &[Share],
    passphrase: Option<&Passphrase>,
    output: Output,
) -> Result<(), Failure> {
    create_private_dir(dir)?;
    for (validator, share) in dealt.validators.iter().zip(shares) {
        let saved = share.save_with(&dir.join(format!("{}.pem", validator.name)), passphrase);
        saved.map_err(|error| Failure::environment(error.to_string()))?;
    }
    let what = "give each validator its own, as config/threshold_share.pem, and keep none";
    output.note(format!("wrote {} shares into {}: {what}", shares.len(), dir.display()));
    Ok(())
}
