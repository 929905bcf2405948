//! One piece of evidence as JSON: what people want to know, and the canonical encoding, which alone counts.

use crate::{
    exit::Failure,
    home::{read_text, write_private},
};
use quorate_consensus::{EXHIBIT_BYTES, Evidence};
use quorate_types::{Digest, Height, ReplicaId, View, decode, encode};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use utoipa::ToSchema;

/// Bytes of the largest file of one piece: two exhibits in hexadecimal, and room for the rest.
const FILE_BYTES: u64 = 4 * EXHIBIT_BYTES as u64 + 64 * 1024;

/// Bytes of the largest answer to `GET /v1/evidence`, with room for the words around the evidence.
const LIST_BYTES: u64 = 2 * crate::api::EVIDENCE_BYTES as u64;

/// A piece of evidence. Anybody with the genesis can check it: `quorate evidence verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceView {
    /// Counts the pieces that this node has kept.
    pub id: u64,
    /// Who did it.
    #[schema(value_type = u16)]
    pub accused: ReplicaId,
    /// What: the kind of statement that was contradicted, or of fault.
    pub kind: String,
    /// In which view.
    #[schema(value_type = u64)]
    pub view: View,
    /// At which height, where the protocol has several in a view.
    #[schema(value_type = Option<u64>)]
    pub height: Option<Height>,
    /// Digest of the chain's genesis.
    #[schema(value_type = String)]
    pub genesis: Digest,
    /// Both statements with what their sender put under them, in hexadecimal.
    pub evidence: String,
}

impl EvidenceView {
    pub(super) fn of(id: u64, evidence: &Evidence, genesis: &Digest) -> Self {
        Self {
            id,
            accused: evidence.accused,
            kind: evidence.kind.clone(),
            view: evidence.view,
            height: evidence.height,
            genesis: *genesis,
            evidence: hex::encode(encode(evidence)),
        }
    }

    pub(super) fn file_name(&self) -> String {
        let kind: String = self.kind.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        format!("{:06}-replica-{}-{kind}-view-{}.json", self.id, self.accused.index(), self.view.0)
    }

    /// The evidence itself, if the words around it are its own.
    pub fn decode(&self) -> Result<Evidence, String> {
        let bytes = hex::decode(&self.evidence).map_err(|error| format!("`evidence` is not hexadecimal: {error}"))?;
        let evidence: Evidence = decode(&bytes).map_err(|error| error.to_string())?;
        if Self::of(self.id, &evidence, &self.genesis) != *self {
            return Err("its words do not fit the evidence in it".into());
        }
        Ok(evidence)
    }
}

/// The number that a file's name begins with.
pub(super) fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

/// Reads a document of evidence, wherever it comes from.
pub(crate) fn parse(path: &Path) -> Result<(EvidenceView, Evidence), String> {
    let view: EvidenceView = serde_json::from_str(&bounded(path, FILE_BYTES)?).map_err(|error| error.to_string())?;
    let evidence = view.decode()?;
    Ok((view, evidence))
}

/// Reads one piece, or what `GET /v1/evidence` answers.
pub(crate) fn parse_all(path: &Path) -> Result<Vec<EvidenceView>, String> {
    let document = serde_json::from_str(&bounded(path, LIST_BYTES)?).map_err(|error| error.to_string())?;
    let pieces = match document {
        serde_json::Value::Object(mut list) if list.get("evidence").is_some_and(|value| value.is_array()) => {
            serde_json::from_value(list.remove("evidence").unwrap_or_default())
        }
        piece => serde_json::from_value(piece).map(|piece| vec![piece]),
    };
    pieces.map_err(|error| error.to_string())
}

fn bounded(path: &Path, most: u64) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > most {
        return Err(format!("{length} bytes, where evidence has at most {most}"));
    }
    read_text(path).map_err(|failure| failure.what)
}

pub(super) fn read(path: &Path, genesis: &Digest) -> Result<(EvidenceView, Evidence), String> {
    let (view, evidence) = parse(path)?;
    if view.genesis != *genesis {
        return Err(format!("it is of another chain, with genesis {}", view.genesis));
    }
    Ok((view, evidence))
}

pub(super) fn write(path: &Path, view: &EvidenceView) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(view).expect("strings and numbers have a JSON form");
    write_private(path, &(text + "\n"))
}
