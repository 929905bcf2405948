//! A validator without sockets, threads and clocks: what the node and the simulator have in common.
//!
//! [`Core`] joins a replica, its mempool and its [`Docket`]: an input in, an [`Output`] out. [`StepJournal`] makes steps durable, [`perform`]
//! does the ledger's part, [`sync`] brings history or a state from others, [`recover`] puts it all together again after a crash,
//! [`for_protocol_of`] finds the protocol that a genesis names, [`Account`] counts what is sent, [`dkg`] takes part in a key generation. The
//! node gives each of them a thread, the simulator calls them in turn, so that what is simulated is what ships.

mod account;
mod choice;
mod core;
pub mod dkg;
mod docket;
mod journal;
mod ledger_work;
mod light_client;
mod recover;
mod refusals;
pub mod sync;
mod transactions;
mod wire;

pub use account::{Account, Line, Outcome, Role, Tally};
pub use choice::{ForProtocol, GenesisScheme, UnusableGenesis, UnusableKeys, VoteSecrets, for_protocol_of};
pub use core::{Core, CoreTimer, Effect, Input, Output};
pub use docket::{Charge, Docket, Testimony};
pub use journal::StepJournal;
pub use ledger_work::{Committed, LedgerReply, LedgerWork, perform};
pub use light_client::{Finality, NotFinal};
pub use recover::{HeadNotFinal, Recovered, check_head, config, recover, recover_as};
pub use refusals::{Proposal, Refusal};
pub use transactions::TransactionChecks;
pub use wire::{Checked, Wire, WireKeys};
