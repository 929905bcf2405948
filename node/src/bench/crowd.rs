//! The clients: accounts that take turns, and their transactions.
//!
//! An account stays with one validator, so that its nonces reach one mempool in order. Signatures are made before the load begins: a
//! client that signs while it sends would be measured with the validators.

use super::{Wanted, field::Field};
use crate::{client::payload, exit::Failure};
use quorate_crypto::ClientSecret;
use quorate_types::{Account, BoundedVec, ChainId, Digest, Domain, Transaction, TransactionBody};
use std::{collections::VecDeque, time::Duration};

/// Keeps these accounts' seeds apart from everything else that is hashed.
const DOMAIN: Domain = Domain("quorate/bench-client/v1");
/// Keys that each account of the `kv` application writes in turn.
const KEYS: u64 = 16;

/// All clients.
pub(super) struct Crowd {
    chain: ChainId,
    members: Vec<Member>,
    /// The member of each validator whose turn it is.
    turns: Vec<usize>,
    validators: usize,
    payload: Payload,
    are_signed: bool,
}

struct Member {
    secret: ClientSecret,
    account: Account,
    nonce: u64,
    /// Signatures of the next transactions.
    ready: VecDeque<[u8; 64]>,
}

/// What transactions carry.
struct Payload {
    bytes: usize,
    is_kv: bool,
    filler: Vec<u8>,
}

impl Crowd {
    /// The accounts, with the nonces that they have on the network.
    pub(super) async fn gather(field: &Field, wanted: &Wanted) -> Result<Self, Failure> {
        let validators = field.nodes.len();
        let count = (wanted.accounts as usize).next_multiple_of(validators);
        let payload = Payload::new(wanted.payload, field.application == "kv", wanted.seed)?;
        let mut members = Vec::with_capacity(count);
        for index in 0..count {
            let secret = ClientSecret::from_seed(Digest::of(DOMAIN, &(wanted.seed, index as u64)).0);
            let account = secret.account();
            // A testnet that was just made knows no nonces.
            let nonce = match field.is_started() {
                true => 0,
                false => {
                    let api = &field.nodes[index % validators].api;
                    api.account(&account).await.map_err(|error| api.failure(error))?.nonce
                }
            };
            members.push(Member { secret, account, nonce, ready: VecDeque::new() });
        }
        let are_signed = field.application != "unsigned";
        let turns = (0..validators).collect();
        Ok(Self { chain: field.chain, members, turns, validators, payload, are_signed })
    }

    /// Signs what a run will send, with all processors.
    pub(super) fn get_ready(&mut self, rate: u32, lasts: Duration) {
        if !self.are_signed {
            return;
        }
        let all = (f64::from(rate) * lasts.as_secs_f64()).ceil() as usize;
        let each = all.div_ceil(self.members.len()) + 1;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (chain, payload) = (self.chain, &self.payload);
        let share = self.members.len().div_ceil(threads);
        std::thread::scope(|scope| {
            for (part, members) in self.members.chunks_mut(share).enumerate() {
                scope.spawn(move || {
                    for (index, member) in members.iter_mut().enumerate() {
                        let index = part * share + index;
                        for nonce in member.nonce + member.ready.len() as u64..member.nonce + each as u64 {
                            let body = member.body(chain, nonce, payload.of(index, nonce));
                            let signature = member.secret.sign(body).signature;
                            member.ready.push_back(signature);
                        }
                    }
                });
            }
        });
    }

    /// The next transaction for a validator.
    pub(super) fn next(&mut self, validator: usize) -> Transaction {
        let index = self.turns[validator];
        let following = index + self.validators;
        self.turns[validator] = if following < self.members.len() { following } else { validator };
        let member = &mut self.members[index];
        let body = member.body(self.chain, member.nonce, self.payload.of(index, member.nonce));
        member.nonce += 1;
        match member.ready.pop_front() {
            Some(signature) => Transaction { body, signature },
            None if self.are_signed => member.secret.sign(body),
            None => Transaction { body, signature: [0; 64] },
        }
    }
}

impl Member {
    fn body(&self, chain: ChainId, nonce: u64, payload: Vec<u8>) -> TransactionBody {
        let payload = BoundedVec::new(payload).expect("a payload's length was checked");
        TransactionBody { chain, sender: self.account, nonce, payload }
    }
}

impl Payload {
    fn new(bytes: usize, is_kv: bool, seed: u64) -> Result<Self, Failure> {
        let mut state = seed;
        // SplitMix64: bytes that no compression on the way would shorten.
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let filler = (0..bytes.div_ceil(8) + 32).flat_map(|_| next().to_le_bytes()).collect();
        let payload = Self { bytes, is_kv, filler };
        if is_kv {
            let least = payload::put(&payload.key(0, 0), &[])?.len();
            if bytes < least {
                return Err(Failure::usage(format!(
                    "a payload of {bytes} bytes is too short for the kv application: at least {least}"
                )));
            }
            payload::put(&payload.key(0, 0), &payload.filler[..bytes - least])?;
        }
        Ok(payload)
    }

    fn key(&self, member: usize, nonce: u64) -> Vec<u8> {
        format!("load/{member:06}/{:02}", nonce % KEYS).into_bytes()
    }

    fn of(&self, member: usize, nonce: u64) -> Vec<u8> {
        // Another one for each, so that nothing is the same twice.
        let filler = &self.filler[(nonce % 251) as usize..];
        if !self.is_kv {
            return filler[..self.bytes].to_vec();
        }
        let key = self.key(member, nonce);
        // A tag, and the two lengths.
        let value = &filler[..self.bytes - key.len() - 9];
        payload::put(&key, value).expect("the longest was tried at the start")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_crypto::verify_transaction;

    fn crowd(are_signed: bool, is_kv: bool) -> Crowd {
        let member = |index: u8| {
            let secret = ClientSecret::from_seed([index; 32]);
            Member { account: secret.account(), secret, nonce: 5, ready: VecDeque::new() }
        };
        Crowd {
            chain: ChainId(Digest([3; 32])),
            members: (0..4).map(member).collect(),
            turns: vec![0, 1],
            validators: 2,
            payload: Payload::new(100, is_kv, 7).expect("long enough"),
            are_signed,
        }
    }

    #[test]
    fn accounts_of_a_validator_take_turns_without_gaps_and_signatures_made_before_are_good() {
        for (is_kv, prepared) in [(false, true), (true, true), (true, false)] {
            let mut crowd = crowd(true, is_kv);
            if prepared {
                crowd.get_ready(8, Duration::from_secs(1));
            }
            let sent: Vec<_> = (0..6).map(|_| crowd.next(1)).collect();
            let nonces: Vec<_> = sent.iter().map(|transaction| transaction.body.nonce).collect();
            assert_eq!(nonces, [5, 5, 6, 6, 7, 7]);
            assert_eq!(sent[0].body.sender, sent[2].body.sender);
            assert_ne!(sent[0].body.sender, sent[1].body.sender);
            for transaction in &sent {
                assert_eq!(verify_transaction(transaction), Ok(()));
                assert_eq!(transaction.body.payload.len(), 100);
            }
        }
    }

    #[test]
    fn unsigned_transactions_have_no_signature_and_a_short_payload_is_refused() {
        let mut crowd = crowd(false, false);
        crowd.get_ready(8, Duration::from_secs(1));
        assert_eq!(crowd.next(0).signature, [0; 64]);
        let refused = Payload::new(10, true, 7).err().expect("refused").to_string();
        assert!(refused.contains("at least 23"), "{refused}");
        assert!(Payload::new(60_000, true, 7).is_err(), "a value of the kv application is shorter");
    }
}
