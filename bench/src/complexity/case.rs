//! What is to be measured.

use super::row::{Fault, UnknownName};
use quorate_crypto::Looks;
use quorate_ledger::{Protocol, SchemeKind};
use quorate_types::limits;

/// Up to so many replicas real signatures are made and checked. Above, symbolic ones of the same length: in PBFT a decision takes
/// `2n(n-1)` checks, 40 microseconds each.
pub const REAL_UP_TO: usize = 31;

/// One configuration to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// `pbft` or `hotstuff`.
    pub protocol: String,
    /// As in a genesis: `ed25519`, `bls-multi`, ...; with `symbolic as ` before it, never a real one.
    pub scheme: String,
    /// Replicas, at least 4.
    pub n: usize,
    /// What goes wrong.
    pub fault: Fault,
    /// Decides what chance decides.
    pub seed: u64,
    /// Blocks with transactions, at least 1.
    pub decisions: u64,
}

/// What comes before a scheme's name if its signatures are symbolic.
const SYMBOLIC: &str = "symbolic as ";

/// How votes are signed in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signing {
    /// As in a genesis.
    Real(SchemeKind),
    /// Symbolic, as long as these.
    Symbolic(SchemeKind),
}

impl Signing {
    /// Of a case: symbolic too where a real one would take too long, or is measured by its sister.
    fn of(case: &Case) -> Result<Self, String> {
        let (is_symbolic, name) = match case.scheme.strip_prefix(SYMBOLIC) {
            Some(name) => (true, name),
            None => (false, case.scheme.as_str()),
        };
        let kind: SchemeKind = name.parse()?;
        let is_measured = match kind {
            SchemeKind::Ed25519 | SchemeKind::BlsMulti | SchemeKind::BlsThreshold => true,
            SchemeKind::BlsMultiMinPk | SchemeKind::BlsThresholdMinPk => false,
        };
        let is_real = is_measured && !is_symbolic && case.n <= REAL_UP_TO;
        Ok(if is_real { Self::Real(kind) } else { Self::Symbolic(kind) })
    }

    pub(super) fn kind(self) -> SchemeKind {
        match self {
            Self::Real(kind) | Self::Symbolic(kind) => kind,
        }
    }

    /// As rows and reports say.
    pub(super) fn name(self) -> String {
        match self {
            Self::Real(kind) => kind.to_string(),
            Self::Symbolic(kind) => format!("{SYMBOLIC}{kind}"),
        }
    }
}

/// Of which length symbolic signatures of a scheme are.
pub(super) fn looks(kind: SchemeKind) -> Looks {
    match kind {
        SchemeKind::Ed25519 => Looks::Ed25519,
        SchemeKind::BlsMulti => Looks::BlsMulti,
        SchemeKind::BlsMultiMinPk => Looks::BlsMultiMinPk,
        SchemeKind::BlsThreshold => Looks::BlsThreshold,
        SchemeKind::BlsThresholdMinPk => Looks::BlsThresholdMinPk,
    }
}

impl Case {
    /// Protocol and signing, if there are such and the numbers make sense.
    pub(super) fn check(&self) -> Result<(Protocol, Signing), String> {
        let known = Protocol::ALL.map(Protocol::name);
        let protocol = Protocol::ALL.into_iter().find(|protocol| protocol.name() == self.protocol);
        let protocol = protocol.ok_or_else(|| UnknownName::new("protocol", &self.protocol, &known).to_string())?;
        if !(4..=limits::REPLICAS).contains(&self.n) {
            return Err(format!(
                "{} replicas: measure 4 to {}, of which at least one may be faulty",
                self.n,
                limits::REPLICAS
            ));
        }
        if self.decisions == 0 {
            return Err("0 decisions cost nothing: measure at least 1".to_owned());
        }
        Ok((protocol, Signing::of(self)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(scheme: &str, n: usize) -> Case {
        Case { protocol: "pbft".to_owned(), scheme: scheme.to_owned(), n, fault: Fault::None, seed: 1, decisions: 1 }
    }

    #[test]
    fn large_committees_sign_symbolically_and_say_so() {
        let name = |scheme, n| case(scheme, n).check().map(|(_, signing)| signing.name());
        assert_eq!(name("ed25519", 31), Ok("ed25519".to_owned()));
        assert_eq!(name("ed25519", 32), Ok("symbolic as ed25519".to_owned()));
        assert_eq!(name("symbolic as bls-multi", 4), Ok("symbolic as bls-multi".to_owned()));
        assert_eq!(name("bls-threshold-min-pk", 4), Ok("symbolic as bls-threshold-min-pk".to_owned()));
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        assert!(case("rsa", 4).check().expect_err("no such scheme").contains("ed25519"));
        assert!(case("ed25519", 3).check().expect_err("nobody may be faulty").contains("4 to 1024"));
        let other = Case { protocol: "raft".to_owned(), ..case("ed25519", 4) };
        assert!(other.check().expect_err("no such protocol").contains("pbft"));
    }
}
