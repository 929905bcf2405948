//! The parts of the `quorate` binary.
//!
//! [`runtime`] runs one validator and hands out a [`handle::Handle`], through which everything else sees it: the HTTP
//! API ([`api`]) and the process control. [`cli`] has one file for each command; [`testnet`] runs several validators as
//! processes of their own; `ceremony` takes part in a key generation; [`client`] talks to a node's API and checks its
//! proofs; `lab` breaks a running validator on purpose; `bench` measures. Commands end as [`exit`] says and print as [`output`] says.

pub mod api;
#[cfg(feature = "lab")]
mod bench;
mod ceremony;
pub mod cli;
pub mod client;
pub mod config;
pub mod doctor;
pub mod evidence;
pub mod exit;
pub mod handle;
pub mod home;
#[cfg(feature = "lab")]
pub mod lab;
pub mod lock;
pub mod logs;
mod offline;
pub mod output;
pub mod runtime;
mod signals;
mod table;
pub mod testnet;
#[cfg(feature = "lab")]
mod verdict;
