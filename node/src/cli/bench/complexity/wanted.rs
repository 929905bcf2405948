//! Which cases are to be measured, if there is a way to.

use super::ComplexityArgs;
use crate::{exit::Failure, testnet::Options};
use quorate_bench::complexity::{Backend, Case, Fault};

/// Committee sizes unless told.
const SIZES: &[u16] = &[4, 7, 10, 16, 31, 64, 100];
/// And of processes.
const SIZES_OF_TESTNETS: &[u16] = &[4, 7];

impl ComplexityArgs {
    /// What follows what is drawn, in the simulator.
    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    /// Protocol by protocol, scheme by scheme, ascending, each once.
    ///
    /// Refuses what the backend cannot do.
    pub(super) fn cases(&self) -> Result<Vec<Case>, Failure> {
        self.refuse()?;
        let mut sizes = self.sizes();
        sizes.sort_unstable();
        sizes.dedup();
        let mut cases = Vec::new();
        for &protocol in &self.protocols {
            for &fault in &self.faults {
                for &scheme in &self.schemes {
                    cases.extend(sizes.iter().map(|n| Case {
                        protocol: protocol.name().to_owned(),
                        scheme: scheme.name().to_owned(),
                        n: usize::from(*n),
                        fault,
                        seed: self.seed(),
                        decisions: self.decisions,
                    }));
                }
            }
        }
        Ok(cases)
    }

    fn sizes(&self) -> Vec<u16> {
        match self.backend {
            _ if !self.n.is_empty() => self.n.clone(),
            Backend::Sim => SIZES.to_vec(),
            Backend::Testnet => SIZES_OF_TESTNETS.to_vec(),
        }
    }

    fn refuse(&self) -> Result<(), Failure> {
        if self.backend == Backend::Sim {
            return match &self.home {
                None => Ok(()),
                Some(_) => Err(Failure::usage("--home is where testnets live, and the simulator has none")
                    .hint("--backend testnet; or --out for the report's files")),
            };
        }
        let is_elsewhere = |fault: &&Fault| !matches!(fault, Fault::None | Fault::FSilent);
        if let Some(fault) = self.faults.iter().find(is_elsewhere) {
            return Err(Failure::usage(format!("the fault {fault} is brought about in the simulator only"))
                .hint("--backend sim, or --faults none,f-silent"));
        }
        if let Some(n) = self.n.iter().find(|n| usize::from(**n) > Options::MAX_NODES) {
            let most = Options::MAX_NODES;
            return Err(Failure::usage(format!("{n} processes on one machine: a testnet has {most} at most"))
                .hint("--backend sim, which counts up to 400"));
        }
        match self.seed {
            None => Ok(()),
            Some(_) => Err(Failure::usage("--seed decides nothing on a testnet, whose keys are drawn anew")
                .hint("leave it out, or --backend sim")),
        }
    }
}
