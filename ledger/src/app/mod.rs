//! What transactions mean: a deterministic function of the state.
//!
//! All applications share the rule of nonces: a transaction whose nonce is not its sender's next one is *skipped*, as if it
//! were not there; any other uses its nonce up, whether it *applies* or *fails*. So each applies at most once, in its sender's order.

pub mod dkg;
mod kv;
mod opaque;

pub use kv::{Key, KvOp, MAX_KEY, MAX_VALUE, Value};

use crate::{AppGenesis, State};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Account, Height, Transaction, decode, encode};

/// What a transaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// What it asked for.
    Applied,
    /// Nothing, but its nonce is used up.
    Failed(FailCode),
    /// Nothing at all.
    Skipped(SkipCode),
}

/// Why a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum FailCode {
    /// The application cannot read the payload.
    MalformedPayload,
    /// The key did not hold what compare-and-swap expected.
    CompareFailed,
    /// The sender has less than it wants to give.
    InsufficientBalance,
    /// The receiver would hold more than a balance can be.
    BalanceOverflow,
    /// The sender takes no part in the ceremony.
    NotAMember,
    /// Its phase is over, or has not begun.
    WrongPhase,
    /// Not as many shares or commitments as there must be, or members named that cannot be.
    IllFormed,
    /// The sender has said this already.
    SaidBefore,
}

/// Why a transaction was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum SkipCode {
    /// Its nonce is used up.
    OldNonce,
    /// Its turn has not come.
    FutureNonce,
}

/// A sender's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountState {
    /// The next transaction's nonce.
    pub nonce: u64,
    /// What it can give.
    pub balance: u64,
}

/// What an application is.
pub trait Application {
    /// Whether a payload can be read at all: the check at the door.
    fn check(&self, payload: &[u8]) -> Result<(), String>;
    /// Executes a transaction of the block at `height` whose nonce is right. The sender's account has its nonce raised already. On failure nothing
    /// else may have changed.
    fn apply(&self, state: &mut State, height: Height, sender: &Account, payload: &[u8]) -> Result<(), FailCode>;
}

fn application(genesis: &AppGenesis) -> &dyn Application {
    match genesis {
        AppGenesis::Kv { .. } => &kv::Kv,
        AppGenesis::Opaque | AppGenesis::Unsigned => &opaque::Opaque,
        AppGenesis::Dkg(ceremony) => ceremony,
    }
}

/// Where an account stands in the state.
pub fn account_key(account: &Account) -> Vec<u8> {
    [b"a/".as_slice(), account.key()].concat()
}

/// Where a user's key stands in the state.
pub fn user_key(key: &[u8]) -> Vec<u8> {
    [b"k/".as_slice(), key].concat()
}

/// An account; one that nobody has used yet is empty.
pub fn account(state: &State, account: &Account) -> AccountState {
    let stored = state.get(&account_key(account));
    stored.and_then(|bytes| decode(bytes).ok()).unwrap_or_default()
}

fn set_account(state: &mut State, account: &Account, value: AccountState) {
    state.insert(account_key(account), encode(&value));
}

/// The state before the first block.
pub fn first_state(genesis: &AppGenesis) -> State {
    let mut state = State::default();
    if let AppGenesis::Kv { accounts } = genesis {
        for (account, balance) in accounts {
            set_account(&mut state, account, AccountState { nonce: 0, balance: *balance });
        }
    }
    state
}

/// Whether the application can read a transaction's payload.
pub fn check(genesis: &AppGenesis, transaction: &Transaction) -> Result<(), String> {
    application(genesis).check(&transaction.body.payload)
}

/// Executes one transaction of the block at `height`.
pub fn apply(genesis: &AppGenesis, state: &mut State, height: Height, transaction: &Transaction) -> Outcome {
    let sender = transaction.body.sender;
    let mut own = account(state, &sender);
    match transaction.body.nonce.cmp(&own.nonce) {
        std::cmp::Ordering::Less => return Outcome::Skipped(SkipCode::OldNonce),
        std::cmp::Ordering::Greater => return Outcome::Skipped(SkipCode::FutureNonce),
        std::cmp::Ordering::Equal => {}
    }
    own.nonce = own.nonce.saturating_add(1);
    set_account(state, &sender, own);
    match application(genesis).apply(state, height, &sender, &transaction.body.payload) {
        Ok(()) => Outcome::Applied,
        Err(code) => Outcome::Failed(code),
    }
}
