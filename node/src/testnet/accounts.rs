//! The testnet's client accounts: one development key, and as many derived from it as the load wants.

use quorate_crypto::ClientSecret;
use quorate_types::{Account, Digest, Domain};
use std::collections::BTreeMap;

/// Derived accounts that the genesis funds.
const FUNDED: u32 = 256;
/// The development account's balance.
const DEVELOPMENT_BALANCE: u64 = 1_000_000_000_000;
/// A derived account's balance.
const LOAD_BALANCE: u64 = 1_000_000_000;

/// Keeps the derived seeds apart from everything else that is hashed.
const DOMAIN: Domain = Domain("quorate/testnet-client/v1");

/// The derived account `index`: the same for the same development key, so that a resumed testnet goes on with it.
pub(crate) fn derived(development: &ClientSecret, index: u32) -> ClientSecret {
    let mut material = development.seed().to_vec();
    material.extend(index.to_le_bytes());
    ClientSecret::from_seed(Digest::of_bytes(DOMAIN, &material).0)
}

/// The genesis's balances.
pub(crate) fn funded(development: &ClientSecret) -> BTreeMap<Account, u64> {
    let derived = (0..FUNDED).map(|index| (derived(development, index).account(), LOAD_BALANCE));
    std::iter::once((development.account(), DEVELOPMENT_BALANCE)).chain(derived).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_accounts_differ_and_come_again() {
        let key = ClientSecret::from_seed([5; 32]);
        assert_eq!(derived(&key, 3).account(), derived(&key, 3).account());
        assert_eq!(funded(&key).len(), 257);
        assert_ne!(derived(&ClientSecret::from_seed([6; 32]), 3).account(), derived(&key, 3).account());
    }
}
