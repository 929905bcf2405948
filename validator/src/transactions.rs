//! What clients sign, checked at the door: on submission, and in every batch that comes.
//!
//! A transaction that was found good is not verified again: clients hand it in until it is committed, and at several validators.

use quorate_consensus::{Rejection, Seen};
use quorate_crypto::verify_transaction;
use quorate_ledger::Genesis;
use quorate_types::{ChainId, Transaction};

/// How many good transactions are remembered: those of a few seconds under full load.
const REMEMBERED: usize = 32_768;

/// Checks transactions of one chain. Clones remember together.
#[derive(Clone, Debug)]
pub struct TransactionChecks {
    chain: ChainId,
    are_signed: bool,
    good: Seen<REMEMBERED>,
}

impl TransactionChecks {
    /// For transactions that are meant for this chain, and signed.
    pub fn new(chain: ChainId) -> Self {
        Self { chain, are_signed: true, good: Seen::default() }
    }

    /// For transactions that are meant for the chain of this genesis, and signed if that says so.
    pub fn of(genesis: &Genesis) -> Self {
        Self { are_signed: genesis.application.is_signed(), ..Self::new(genesis.chain_id()) }
    }

    /// The chain that transactions must be meant for.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// Checks the chain and the sender's signature, if the chain's clients sign.
    ///
    /// # Errors
    /// If either is wrong.
    pub fn check(&self, transaction: &Transaction) -> Result<(), Rejection> {
        if transaction.body.chain != self.chain {
            return Err(Rejection::Malformed("a transaction of another chain"));
        }
        if !self.are_signed {
            return Ok(());
        }
        self.good.check_once(transaction.digest(), || Ok(verify_transaction(transaction)?))
    }

    /// Takes a transaction for good without a look at its signature, because the caller knows: it is the client's own hand, or
    /// simulates it.
    pub fn vouch_for(&self, transaction: &Transaction) {
        self.good.remember(transaction.digest());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_crypto::ClientSecret;
    use quorate_types::{BoundedVec, Digest, TransactionBody};

    fn transaction(chain: ChainId) -> Transaction {
        let secret = ClientSecret::from_seed([7; 32]);
        let payload = BoundedVec::new(vec![1]).expect("short");
        secret.sign(TransactionBody { chain, sender: secret.account(), nonce: 0, payload })
    }

    #[test]
    fn whatever_is_changed_in_a_good_transaction_it_is_checked_anew() {
        let chain = ChainId(Digest([1; 32]));
        let checks = TransactionChecks::new(chain);
        let good = transaction(chain);
        assert_eq!(checks.check(&good), Ok(()));
        assert_eq!(checks.clone().check(&good), Ok(()));
        let mut signature = good.clone();
        signature.signature[9] ^= 1;
        let mut nonce = good.clone();
        nonce.body.nonce = 1;
        for bad in [signature, nonce] {
            assert!(matches!(checks.check(&bad), Err(Rejection::Crypto(_))));
        }
        assert!(matches!(checks.check(&transaction(ChainId(Digest([2; 32])))), Err(Rejection::Malformed(_))));
        assert_eq!(checks.check(&good), Ok(()), "and the good one stays good");
    }

    #[test]
    fn only_where_clients_do_not_sign_is_a_bad_signature_no_reason() {
        let chain = ChainId(Digest([1; 32]));
        let mut unsigned = transaction(chain);
        unsigned.signature = [0; 64];
        assert!(TransactionChecks::new(chain).check(&unsigned).is_err());
        let checks = TransactionChecks { are_signed: false, ..TransactionChecks::new(chain) };
        assert_eq!(checks.check(&unsigned), Ok(()));
        let foreign = transaction(ChainId(Digest([2; 32])));
        assert!(matches!(checks.check(&foreign), Err(Rejection::Malformed(_))));
    }
}
