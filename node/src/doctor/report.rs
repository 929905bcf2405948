//! What comes of it.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// How the validators are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is wrong: blocks come, or nobody needs one.
    Well,
    /// Something is wrong, but blocks come, or would.
    Ailing,
    /// There is work, and no block.
    Stuck,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "well",
            Self::Ailing => "ailing",
            Self::Stuck => "stuck",
        })
    }
}

/// Whether a finding is a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something is wrong.
    Ill,
}

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What kind of finding, in a word that does not change.
    pub code: String,
    /// Whether it is a complaint.
    pub severity: Severity,
    /// For people.
    pub text: String,
}

/// All that can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// In a word.
    pub verdict: Verdict,
    /// In sentences, the plainest causes first.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { verdict: Verdict::Well, findings: Vec::new() }
    }

    pub(super) fn note(&mut self, code: &str, text: impl Into<String>) {
        self.findings.push(Finding { code: code.into(), severity: Severity::Note, text: text.into() });
    }

    pub(super) fn ill(&mut self, code: &str, text: impl Into<String>) {
        self.verdict = self.verdict.max(Verdict::Ailing);
        self.findings.push(Finding { code: code.into(), severity: Severity::Ill, text: text.into() });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict)?;
        for finding in &self.findings {
            let mark = match finding.severity {
                Severity::Note => '-',
                Severity::Ill => '!',
            };
            writeln!(f, "{mark} {}", finding.text)?;
        }
        Ok(())
    }
}
