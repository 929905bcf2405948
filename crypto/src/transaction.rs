//! Client signatures.

use crate::{CryptoError, keys::is_signed};
use ed25519_dalek::VerifyingKey;
use quorate_types::Transaction;

/// Checks a transaction's signature strictly: weak sender keys are refused, and so are malleable signatures.
pub fn verify_transaction(transaction: &Transaction) -> Result<(), CryptoError> {
    let key = VerifyingKey::from_bytes(transaction.body.sender.key()).map_err(|_| CryptoError::BadTransaction)?;
    let is_good = is_signed(&key, &transaction.body.signing_bytes(), &transaction.signature);
    if is_good { Ok(()) } else { Err(CryptoError::BadTransaction) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientSecret;
    use quorate_types::{BoundedVec, ChainId, Digest, TransactionBody};

    #[test]
    fn a_signature_covers_every_field() {
        let secret = ClientSecret::from_seed([1; 32]);
        let body = TransactionBody {
            chain: ChainId(Digest::ZERO),
            sender: secret.account(),
            nonce: 4,
            payload: BoundedVec::new(vec![1, 2]).expect("short"),
        };
        let good = secret.sign(body);
        assert_eq!(verify_transaction(&good), Ok(()));
        let changes: [fn(&mut Transaction); 5] = [
            |t| t.body.chain = ChainId(Digest([1; 32])),
            |t| t.body.sender = ClientSecret::from_seed([2; 32]).account(),
            |t| t.body.nonce = 5,
            |t| t.body.payload = BoundedVec::default(),
            |t| t.signature[0] ^= 1,
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(verify_transaction(&bad), Err(CryptoError::BadTransaction));
        }
    }
}
