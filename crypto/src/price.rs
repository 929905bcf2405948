//! What a scheme's operations take of primitives: for those who count.

use std::ops;

/// Uses of primitives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Signatures made: ed25519 ones, and BLS partials.
    pub made: u64,
    /// Single ed25519 verifications.
    pub checked: u64,
    /// Pairings evaluated (Miller loops).
    pub pairings: u64,
}

/// What each operation of a scheme takes when everything is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// [`Scheme::sign`](crate::Scheme::sign). As many signatures as it makes, a vote holds.
    pub sign: Work,
    /// [`Scheme::admit`](crate::Scheme::admit).
    pub admit: Work,
    /// [`Scheme::verify`](crate::Scheme::verify).
    pub verify: Work,
    /// [`Scheme::combine`](crate::Scheme::combine).
    pub combine: Work,
    /// [`Scheme::verify_proof`](crate::Scheme::verify_proof), whatever the proof holds.
    pub proof: Work,
    /// The same, for each signature that the proof holds.
    pub listed: Work,
}

impl Work {
    /// Nothing.
    pub const NONE: Self = Self { made: 0, checked: 0, pairings: 0 };
    /// One ed25519 signature.
    pub const SIGN: Self = Self { made: 1, ..Self::NONE };
    /// One ed25519 verification.
    pub const CHECK: Self = Self { checked: 1, ..Self::NONE };
    /// One pairing check of one message: a Miller loop for the signature, and one for the message.
    pub const PAIRING_CHECK: Self = Self { pairings: 2, ..Self::NONE };

    /// As often as that.
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self { made: self.made * times, checked: self.checked * times, pairings: self.pairings * times }
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            made: self.made + other.made,
            checked: self.checked + other.checked,
            pairings: self.pairings + other.pairings,
        }
    }
}

impl ops::Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.and(other)
    }
}

impl ops::Sub for Work {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            made: self.made - earlier.made,
            checked: self.checked - earlier.checked,
            pairings: self.pairings - earlier.pairings,
        }
    }
}

impl Price {
    /// Of single ed25519 signatures, of which a proof is a list: combining is copying.
    pub const LIST: Self = Self {
        sign: Work::SIGN,
        admit: Work::CHECK,
        verify: Work::CHECK,
        combine: Work::NONE,
        proof: Work::NONE,
        listed: Work::CHECK,
    };

    /// Of BLS partials under an ed25519 signature each: that is checked on arrival, what a quorum combines into by one pairing check.
    pub const PAIRING: Self = Self {
        sign: Work::SIGN.times(2),
        admit: Work::CHECK,
        verify: Work::CHECK.and(Work::PAIRING_CHECK),
        combine: Work::PAIRING_CHECK,
        proof: Work::PAIRING_CHECK,
        listed: Work::NONE,
    };
}
