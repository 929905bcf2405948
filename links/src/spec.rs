//! How a link behaves.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One direction of a link between two replicas. The default is perfect: no delay, no loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSpec {
    /// Every message takes at least this long.
    pub delay: Duration,
    /// And up to this much more, drawn for each message.
    pub jitter: Duration,
    /// Probability that a message never arrives.
    pub loss: f64,
    /// Probability that a message arrives twice.
    pub duplicate: f64,
    /// Probability that a message is held back for up to four times delay and jitter, so that later ones overtake it. All
    /// others arrive in the order in which they were sent.
    pub reorder: f64,
    /// Bytes a second; `None` has no limit. What does not fit waits its turn.
    pub bandwidth: Option<u64>,
    /// Nothing arrives.
    pub cut: bool,
}

/// A link that cannot exist.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadSpec {
    /// Not between 0 and 1.
    #[error("{name} is a probability and must be between 0 and 1, not {value}")]
    NotAProbability {
        /// Which field.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A bandwidth of nothing.
    #[error("a bandwidth of 0 bytes a second delivers nothing: say `cut` instead")]
    NoBandwidth,
}

impl LinkSpec {
    /// A perfect link of this delay.
    pub fn delay(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Refuses values that make no sense.
    pub fn check(&self) -> Result<(), BadSpec> {
        for (name, value) in [("loss", self.loss), ("duplicate", self.duplicate), ("reorder", self.reorder)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(BadSpec::NotAProbability { name, value });
            }
        }
        if self.bandwidth == Some(0) {
            return Err(BadSpec::NoBandwidth);
        }
        Ok(())
    }

    /// How long a message can take on an idle link, at most.
    pub fn worst_delay(&self) -> Duration {
        self.delay.saturating_add(self.jitter).saturating_mul(if self.reorder > 0.0 { 5 } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_survives_json_and_unknown_fields_are_refused() {
        let spec = LinkSpec { loss: 0.25, bandwidth: Some(1000), ..LinkSpec::delay(Duration::from_millis(20)) };
        let json = serde_json::to_string(&spec).expect("plain values");
        assert_eq!(serde_json::from_str::<LinkSpec>(&json).expect("just written"), spec);
        assert_eq!(serde_json::from_str::<LinkSpec>("{}").expect("all fields have defaults"), LinkSpec::default());
        assert!(serde_json::from_str::<LinkSpec>(r#"{"lost": 0.1}"#).is_err());
    }

    #[test]
    fn impossible_links_are_refused_by_name() {
        let bad = LinkSpec { duplicate: 1.5, ..LinkSpec::default() };
        assert_eq!(bad.check(), Err(BadSpec::NotAProbability { name: "duplicate", value: 1.5 }));
        assert!(LinkSpec { loss: f64::NAN, ..LinkSpec::default() }.check().is_err());
        assert_eq!(LinkSpec { bandwidth: Some(0), ..LinkSpec::default() }.check(), Err(BadSpec::NoBandwidth));
        assert_eq!(LinkSpec::default().check(), Ok(()));
    }
}
