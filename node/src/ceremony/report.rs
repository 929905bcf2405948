//! What came of a key generation, for people and programs. All of it is public.

use super::Begun;
use crate::{
    exit::Failure,
    home::{Home, read_text, write_private},
};
use quorate_ledger::Genesis;
use quorate_types::{Digest, ReplicaId};
use quorate_validator::dkg::Ended;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The end of a ceremony as one member saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The ceremony's chain.
    pub(crate) ceremony: Digest,
    /// The key that everybody checks signatures with, compressed.
    pub(crate) group_key: Option<String>,
    /// The chain that it is for.
    pub(crate) genesis: Option<Digest>,
    /// How many shares sign.
    pub(crate) threshold: usize,
    /// Whose dealings the key is made of.
    pub(crate) qualified: Vec<String>,
    /// Who did what.
    pub(crate) findings: Vec<FindingView>,
    /// Where this member's share is.
    pub(crate) share: Option<PathBuf>,
    /// Why there is no key, if there is none.
    pub(crate) failed: Option<String>,
}

/// What a member did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FindingView {
    /// Its name.
    pub(crate) validator: String,
    /// What, in words.
    pub(crate) fault: String,
    /// Whether the ledger proves ill will; silence may be a crash.
    pub(crate) proven: bool,
}

impl Report {
    pub(super) fn new(home: &Home, begun: &Begun, ended: &Ended, genesis: Option<&Genesis>) -> Self {
        let name = |id: &ReplicaId| begun.name(id);
        let judgement = &ended.judgement;
        let view = |finding: &quorate_ledger::app::dkg::Finding| FindingView {
            validator: name(&finding.member),
            fault: finding.fault.told(name),
            proven: finding.fault.is_proven(),
        };
        Self {
            ceremony: begun.genesis.digest(),
            group_key: judgement.key.as_ref().ok().map(|commitments| commitments.group_key().to_string()),
            genesis: genesis.map(Genesis::digest),
            threshold: begun.ceremony.threshold(),
            qualified: judgement.qualified.iter().map(name).collect(),
            findings: judgement.findings.iter().map(view).collect(),
            share: ended.share.as_ref().map(|_| home.threshold_share()),
            failed: judgement.key.as_ref().err().map(ToString::to_string),
        }
    }

    /// What an earlier run kept, if it kept all.
    pub(crate) fn load(home: &Home) -> Option<Self> {
        let report: Self = serde_json::from_str(&read_text(&home.ceremony_result()).ok()?).ok()?;
        report.share.as_ref().is_none_or(|share| share.exists()).then_some(report)
    }

    pub(super) fn save(&self, home: &Home) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).expect("a report has a JSON form");
        write_private(&home.ceremony_result(), &(text + "\n"))
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let share = self.share.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        format!("{}\n  share      {share}", self.public_text())
    }

    /// What is the same for all members, for people.
    pub(crate) fn public_text(&self) -> String {
        let absent = || "none".to_owned();
        let mut lines = vec![
            format!("group key  {}", self.group_key.clone().unwrap_or_else(absent)),
            format!("genesis    {}", self.genesis.map_or_else(absent, |digest| digest.to_string())),
            format!("threshold  {} shares sign", self.threshold),
            format!("dealers    {}", self.qualified.join(", ")),
        ];
        for FindingView { validator, fault, proven } in &self.findings {
            let how = if *proven { "proven by the ledger" } else { "silence, which a crash explains as well" };
            lines.push(format!("finding    {validator} {fault} ({how})"));
        }
        if self.findings.is_empty() {
            lines.push("findings   none: all did their part".into());
        }
        format!("  {}", lines.join("\n  "))
    }
}
