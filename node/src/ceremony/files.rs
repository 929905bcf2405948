//! What a key generation keeps in a validator's home.
//!
//! ```text
//! <home>/dkg/draft.json     the genesis that the key is for, as it was before
//! <home>/dkg/genesis.json   the ceremony's chain
//! <home>/dkg/journal/       what was promised there, with blocks/, evidence/ and index.redb: as under data/
//! <home>/dkg/result.json    what came of it
//! ```
//!
//! Each step can be repeated after a crash: the ceremony's genesis is written when everything before it is there, the share
//! before the genesis that needs it, the result last.

use super::Report;
use crate::{
    exit::Failure,
    home::{Home, create_private_dir, file_failure, read_genesis, write_private},
};
use quorate_crypto::{KeyFile, Passphrase, bls::Share};
use quorate_ledger::{AppGenesis, FileDisk, Genesis, Journal, app::dkg::Ceremony};
use quorate_types::ReplicaId;
use quorate_validator::dkg::Ended;
use std::{fs, time::Duration};

/// How long the phases of a new ceremony are; what is `None` was not asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Of each phase.
    pub(crate) phase_heights: Option<u64>,
    /// Between blocks.
    pub(crate) interval: Option<Duration>,
}

impl Pace {
    /// Half a minute a phase, at the usual interval.
    const PHASE_HEIGHTS: u64 = 300;
    const INTERVAL: Duration = Duration::from_millis(100);
}

/// A ceremony that has files.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// The genesis that the key is for.
    pub(crate) draft: Genesis,
    /// The ceremony's own.
    pub(crate) genesis: Genesis,
    /// Its rules.
    pub(crate) ceremony: Ceremony,
}

impl Begun {
    /// What a member is called.
    pub(crate) fn name(&self, member: &ReplicaId) -> String {
        let known = self.genesis.validators.get(member.index());
        known.map_or_else(|| member.to_string(), |validator| validator.name.clone())
    }
}

/// Makes the files of a ceremony for the genesis of this home, or finds those of one that was begun. The caller holds the lock.
pub(crate) fn begin(home: &Home, pace: Pace) -> Result<Begun, Failure> {
    let of = home.ceremony();
    let (draft_file, genesis_file) = (of.join("draft.json"), of.join("genesis.json"));
    let begun = genesis_file.exists();
    let draft = if begun { read_genesis(&draft_file)? } else { home.genesis()? };
    let known = if begun { Some(read_genesis(&genesis_file)?) } else { None };
    let genesis = derive(&draft, pace, known)?;
    if !begun {
        refuse_used(home)?;
        create_private_dir(&of)?;
        new_journal(home)?;
        write_private(&draft_file, &draft.to_json())?;
        write_private(&genesis_file, &genesis.to_json())?;
    }
    match genesis.application.clone() {
        AppGenesis::Dkg(ceremony) => Ok(Begun { draft, genesis, ceremony }),
        AppGenesis::Kv { .. } | AppGenesis::Opaque | AppGenesis::Unsigned => {
            Err(Failure::failed(format!("{} is of no key generation", genesis_file.display())))
        }
    }
}

/// The ceremony's genesis. One that was begun keeps its pace.
fn derive(draft: &Genesis, pace: Pace, known: Option<Genesis>) -> Result<Genesis, Failure> {
    let known_heights = known.as_ref().and_then(|genesis| match &genesis.application {
        AppGenesis::Dkg(ceremony) => Some(ceremony.phase_heights),
        AppGenesis::Kv { .. } | AppGenesis::Opaque | AppGenesis::Unsigned => None,
    });
    let known_ms = known.as_ref().and_then(|genesis| genesis.params.block_interval_ms);
    let asked_ms = pace.interval.map(|interval| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
    let heights = pace.phase_heights.or(known_heights).unwrap_or(Pace::PHASE_HEIGHTS);
    let usual_ms = u64::try_from(Pace::INTERVAL.as_millis()).unwrap_or(u64::MAX);
    let derived = draft.ceremony(heights, asked_ms.or(known_ms).unwrap_or(usual_ms)).map_err(|error| {
        Failure::usage(error.to_string())
            .hint("quorate genesis new with --scheme ed25519 makes a draft, whose keys the ceremony replaces by shares")
    })?;
    match known {
        Some(known) if known.digest() != derived.digest() => {
            Err(Failure::usage("this home has begun a ceremony with other phases or another pace than was asked for")
                .hint("leave out --phase-heights and --block-interval to go on with it"))
        }
        Some(known) => Ok(known),
        None => Ok(derived),
    }
}

/// A chain that has begun cannot get other keys, and a share is never replaced.
fn refuse_used(home: &Home) -> Result<(), Failure> {
    if home.blocks().exists() {
        let what = format!("{} has run the chain of its genesis already", home.path().display());
        return Err(Failure::usage(what).hint("a new home, and a draft that nobody has run"));
    }
    if home.threshold_share().exists() {
        let what = format!("{} exists already, and a share is never replaced", home.threshold_share().display());
        return Err(Failure::usage(what).hint("another --home"));
    }
    Ok(())
}

/// The journal of a validator that has promised nothing on the ceremony's chain yet: its genesis is not there.
fn new_journal(home: &Home) -> Result<(), Failure> {
    let path = home.ceremony().join("journal");
    if path.exists() {
        fs::remove_dir_all(&path).map_err(|error| file_failure("remove", &path, &error))?;
    }
    let disk = FileDisk::open(path.clone()).map_err(|error| file_failure("make", &path, &error))?;
    Journal::<_, ()>::create(disk)
        .map(drop)
        .map_err(|error| Failure::environment(format!("cannot begin a journal in {}: {error}", path.display())))
}

/// Keeps what a ceremony gave this member: its share, the threshold genesis in place of the draft, and the report.
pub(crate) fn keep(
    home: &Home,
    begun: &Begun,
    ended: &Ended,
    passphrase: Option<&Passphrase>,
) -> Result<Report, Failure> {
    if let Some(share) = &ended.share {
        keep_share(home, share, passphrase)?;
    }
    let genesis = match &ended.judgement.key {
        Ok(commitments) => Some(
            begun
                .draft
                .clone()
                .with_threshold(commitments.clone())
                .map_err(|error| Failure::failed(format!("the ceremony's key does not fit its draft: {error}")))?,
        ),
        Err(_) => None,
    };
    if let Some(genesis) = &genesis {
        keep_genesis(home, begun, genesis)?;
    }
    let report = Report::new(home, begun, ended, genesis.as_ref());
    report.save(home)?;
    Ok(report)
}

fn keep_share(home: &Home, share: &Share, passphrase: Option<&Passphrase>) -> Result<(), Failure> {
    let path = home.threshold_share();
    if !path.exists() {
        return home.save_share(share, passphrase);
    }
    let found = Share::load_with(&path, passphrase).map_err(|error| Failure::environment(error.to_string()))?;
    if found == *share {
        Ok(())
    } else {
        Err(Failure::failed(format!("{} is another ceremony's share", path.display())))
    }
}

fn keep_genesis(home: &Home, begun: &Begun, genesis: &Genesis) -> Result<(), Failure> {
    let path = home.genesis_file();
    let found = read_genesis(&path)?.digest();
    if found == genesis.digest() {
        return Ok(());
    }
    if found != begun.draft.digest() {
        let what = format!("{} is neither the draft of the ceremony nor its result", path.display());
        return Err(Failure::failed(what).hint(format!("put back {}", home.ceremony().join("draft.json").display())));
    }
    write_private(&path, &genesis.to_json())
}
