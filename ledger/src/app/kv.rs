//! Accounts with balances, and a key-value store that anybody may write.

use super::{Application, FailCode, account, set_account, user_key};
use crate::State;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Account, BoundedVec, Height, decode};

/// Bytes of a key.
pub const MAX_KEY: usize = 256;
/// Bytes of a value.
pub const MAX_VALUE: usize = 32 * 1024;

/// A key, at most 256 bytes.
pub type Key = BoundedVec<u8, MAX_KEY>;
/// A value, at most 32 KiB.
pub type Value = BoundedVec<u8, MAX_VALUE>;

/// What a transaction asks for. Its canonical encoding is the transaction's payload.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum KvOp {
    /// Gives a key a value.
    Put {
        /// Which.
        key: Key,
        /// What.
        value: Value,
    },
    /// Takes a key out. A key that is not there is not an error.
    Delete {
        /// Which.
        key: Key,
    },
    /// Changes a key only if it holds what is expected.
    CompareAndSwap {
        /// Which.
        key: Key,
        /// What it must hold; `None`: it must not be there.
        expected: Option<Value>,
        /// What it shall hold; `None`: it shall be taken out.
        new: Option<Value>,
    },
    /// Gives some of the sender's balance to another account.
    Transfer {
        /// Whom.
        to: Account,
        /// How much.
        amount: u64,
    },
}

pub(super) struct Kv;

impl Application for Kv {
    fn check(&self, payload: &[u8]) -> Result<(), String> {
        decode::<KvOp>(payload).map(|_| ()).map_err(|error| error.to_string())
    }

    fn apply(&self, state: &mut State, _height: Height, sender: &Account, payload: &[u8]) -> Result<(), FailCode> {
        match decode(payload).map_err(|_| FailCode::MalformedPayload)? {
            KvOp::Put { key, value } => set(state, &key, Some(value)),
            KvOp::Delete { key } => set(state, &key, None),
            KvOp::CompareAndSwap { key, expected, new } => {
                if state.get(&user_key(&key)) != expected.as_deref() {
                    return Err(FailCode::CompareFailed);
                }
                set(state, &key, new);
            }
            KvOp::Transfer { to, amount } => transfer(state, sender, &to, amount)?,
        }
        Ok(())
    }
}

fn set(state: &mut State, key: &[u8], value: Option<Value>) {
    match value {
        Some(value) => state.insert(user_key(key), value.into_inner()),
        None => state.remove(&user_key(key)),
    }
}

fn transfer(state: &mut State, from: &Account, to: &Account, amount: u64) -> Result<(), FailCode> {
    let mut giver = account(state, from);
    giver.balance = giver.balance.checked_sub(amount).ok_or(FailCode::InsufficientBalance)?;
    if from == to {
        return Ok(());
    }
    let mut taker = account(state, to);
    taker.balance = taker.balance.checked_add(amount).ok_or(FailCode::BalanceOverflow)?;
    set_account(state, from, giver);
    set_account(state, to, taker);
    Ok(())
}
