//! The ledger's tip: what is committed last, to be looked at while the ledger is at work or waits for its disk.

use crate::{AccountState, AppGenesis, State, TxError, app};
use quorate_types::{Account, Header, Transaction};
use std::sync::Arc;

/// The last committed block's header and the state after it. A clone costs next to nothing.
#[derive(Clone, Debug)]
pub struct Tip {
    pub(crate) application: Arc<AppGenesis>,
    pub(crate) head: Header,
    pub(crate) state: State,
}

impl Tip {
    /// The last committed block.
    pub fn head(&self) -> &Header {
        &self.head
    }

    /// What the state says of an account.
    pub fn account(&self, account: &Account) -> AccountState {
        app::account(&self.state, account)
    }

    /// Whether a transaction may come in, as far as can be told at the door: chain, nonce, payload. Its signature is checked
    /// elsewhere.
    pub fn admit(&self, transaction: &Transaction) -> Result<(), TxError> {
        let (theirs, ours) = (transaction.body.chain, self.head.chain);
        if theirs != ours {
            return Err(TxError::WrongChain { theirs, ours });
        }
        app::check(&self.application, transaction).map_err(|why| TxError::Malformed { why })?;
        let (nonce, next) = (transaction.body.nonce, self.account(&transaction.body.sender).nonce);
        if nonce < next {
            return Err(TxError::OldNonce { nonce, next });
        }
        Ok(())
    }
}
