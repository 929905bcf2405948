use super::*;
use quorate_crypto::{ClientSecret, conformance};
use quorate_types::{ChainId, TransactionBody};

const CLIENT: [u8; 32] = [5; 32];

fn transaction(nonce: u64) -> Transaction {
    let secret = ClientSecret::from_seed(CLIENT);
    secret.sign(TransactionBody {
        chain: ChainId(Digest::ZERO),
        sender: secret.account(),
        nonce,
        payload: BoundedVec::new(vec![1, 2, 3]).expect("short"),
    })
}

fn pool(me: u16) -> Mempool {
    Mempool::new(ReplicaId(me), conformance::committee(4), BatchLimits::default())
}

fn ready(actions: &[PoolAction]) -> Vec<Arc<Batch>> {
    let batch = |action: &PoolAction| if let PoolAction::Ready(batch) = action { Some(batch.clone()) } else { None };
    actions.iter().filter_map(batch).collect()
}

fn nonces(batches: &[Arc<Batch>]) -> Vec<u64> {
    batches.iter().flat_map(|batch| batch.transactions().iter().map(|t| t.body.nonce)).collect()
}

fn submit(pool: &mut Mempool, nonce: u64) -> (Result<(), Refused>, Vec<PoolAction>) {
    let mut actions = Vec::new();
    (pool.submit(transaction(nonce), 0, &mut actions), actions)
}

fn close(pool: &mut Mempool) -> Vec<PoolAction> {
    let mut actions = Vec::new();
    pool.on_timer(PoolTimer::Close, &mut actions);
    actions
}

fn commit(pool: &mut Mempool, batch: &Batch, skipped: &[u64], next: u64) -> Vec<PoolAction> {
    let mut actions = Vec::new();
    let skipped = skipped.iter().map(|nonce| transaction(*nonce).digest()).collect();
    let sender = ClientSecret::from_seed(CLIENT).account();
    pool.on_committed([batch.digest()], &skipped, &[(sender, next)].into(), &mut actions);
    actions
}

#[test]
fn early_transactions_wait_for_their_turn_and_go_out_in_order() {
    let mut pool = pool(0);
    for nonce in [2, 1, 4] {
        assert_eq!(submit(&mut pool, nonce).0, Ok(()));
    }
    assert!(ready(&close(&mut pool)).is_empty(), "nothing can go before nonce 0");
    assert_eq!(submit(&mut pool, 0).0, Ok(()));
    assert_eq!(nonces(&ready(&close(&mut pool))), [0, 1, 2]);
    assert_eq!(submit(&mut pool, 1).0, Err(Refused::NonceTaken { nonce: 1 }));
    assert_eq!(submit(&mut pool, 3).0, Ok(()));
    assert_eq!(nonces(&ready(&close(&mut pool))), [3, 4]);
}

#[test]
fn what_was_skipped_for_its_nonce_goes_out_again_when_its_turn_has_come() {
    let mut pool = pool(0);
    submit(&mut pool, 0).0.expect("first");
    let first = ready(&close(&mut pool)).remove(0);
    submit(&mut pool, 1).0.expect("second");
    let second = ready(&close(&mut pool)).remove(0);
    // The blocks order the batches the wrong way round.
    commit(&mut pool, &second, &[1], 0);
    assert!(ready(&close(&mut pool)).is_empty(), "nonce 0 is not committed yet");
    commit(&mut pool, &first, &[], 1);
    assert_eq!(nonces(&ready(&close(&mut pool))), [1]);
}

#[test]
fn one_author_cannot_fill_the_pool_for_others_and_needed_batches_always_enter() {
    let limits = BatchLimits { batches_per_author: 1, ..BatchLimits::default() };
    let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
    let batch = |nonce| Arc::new(Batch::new(vec![transaction(nonce)]).expect("small"));
    let mut take = |from: u16, nonce: u64| {
        let mut actions = Vec::new();
        pool.on_message(ReplicaId(from), PoolMessage::Batch(batch(nonce)), &mut actions);
        ready(&actions).len()
    };
    assert_eq!(take(1, 0), 1);
    assert_eq!(take(1, 1), 0, "over its limit");
    assert_eq!(take(2, 2), 1, "another author has its own");
    pool.need(vec![batch(3).digest()], ReplicaId(1), &mut Vec::new());
    let mut actions = Vec::new();
    pool.on_message(ReplicaId(1), PoolMessage::Batch(batch(3)), &mut actions);
    assert_eq!(ready(&actions).len(), 1, "a block needs it");
}

#[test]
fn an_uncommitted_batch_is_offered_again_and_a_peer_that_lacks_it_gets_it() {
    let (mut ours, mut theirs) = (pool(0), pool(1));
    submit(&mut ours, 0).0.expect("first");
    let batch = ready(&close(&mut ours)).remove(0);
    let mut actions = Vec::new();
    ours.on_timer(PoolTimer::Repeat, &mut actions);
    ours.on_timer(PoolTimer::Repeat, &mut actions);
    let offer = actions.iter().find_map(|action| match action {
        PoolAction::Broadcast(message @ PoolMessage::Offer(_)) => Some(message.clone()),
        _ => None,
    });
    let mut asked = Vec::new();
    theirs.on_message(ReplicaId(0), offer.expect("offered"), &mut asked);
    let Some(PoolAction::Send { to: ReplicaId(0), message }) = asked.first().cloned() else { panic!("{asked:?}") };
    let mut given = Vec::new();
    ours.on_message(ReplicaId(1), message, &mut given);
    assert_eq!(given, [PoolAction::Send { to: ReplicaId(1), message: PoolMessage::Batch(batch) }]);
}

#[test]
fn a_batch_is_given_to_a_peer_a_few_times_in_an_interval_however_often_it_asks() {
    let mut ours = pool(0);
    submit(&mut ours, 0).0.expect("first");
    let batch = ready(&close(&mut ours)).remove(0);
    let ask = |ours: &mut Mempool, peer| {
        let mut given = Vec::new();
        let digests = BoundedVec::new(vec![batch.digest(); DIGESTS]).expect("as many as fit");
        ours.on_message(ReplicaId(peer), PoolMessage::Ask(digests), &mut given);
        given.iter().filter(|action| matches!(action, PoolAction::Send { .. })).count()
    };
    assert_eq!([1, 1, 1, 2].map(|peer| ask(&mut ours, peer)), [1, 1, 0, 1]);
    ours.on_timer(PoolTimer::Repeat, &mut Vec::new());
    assert_eq!(ask(&mut ours, 1), 1, "a new interval");
    ours.retire(&batch.digest());
    ours.on_timer(PoolTimer::Repeat, &mut Vec::new());
    let mut actions = Vec::new();
    ours.on_message(ReplicaId(1), PoolMessage::Ask(BoundedVec::new(vec![batch.digest()]).expect("one")), &mut actions);
    let repeat = |action: &PoolAction| matches!(action, PoolAction::SetTimer { timer: PoolTimer::Repeat, .. });
    assert!(actions.iter().any(repeat), "the interval ends for a pool that has nothing else to say, too");
}

#[test]
fn with_batches_in_flight_the_open_one_grows_until_a_commit() {
    let mut pool = pool(0);
    let mut flying = Vec::new();
    for nonce in 0..4 {
        submit(&mut pool, nonce).0.expect("in order");
        flying.extend(ready(&close(&mut pool)));
    }
    assert_eq!(flying.len(), OWN_IN_FLIGHT);
    for nonce in 4..9 {
        submit(&mut pool, nonce).0.expect("in order");
        assert!(ready(&close(&mut pool)).is_empty());
    }
    let after = commit(&mut pool, &flying[0], &[], 1);
    assert_eq!(nonces(&ready(&after)), [4, 5, 6, 7, 8]);
}

#[test]
fn a_nonce_read_before_a_commit_and_used_after_it_leaves_nothing_waiting_for_ever() {
    let mut pool = pool(0);
    submit(&mut pool, 0).0.expect("first");
    let first = ready(&close(&mut pool)).remove(0);
    commit(&mut pool, &first, &[], 1);
    // Checked when the account's nonce was 0, taken in when it is 1.
    assert_eq!(submit(&mut pool, 1).0, Ok(()));
    assert_eq!(nonces(&ready(&close(&mut pool))), [1]);
    assert_eq!(submit(&mut pool, 0).0, Err(Refused::OldNonce { nonce: 0, next: 1 }));
}

#[test]
fn clients_are_refused_while_nothing_is_committed_and_own_batches_are_at_the_limit() {
    let limits = BatchLimits { transactions: 1, batches_per_author: 3, ..BatchLimits::default() };
    let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
    let taken = (0..10).filter(|nonce| submit(&mut pool, *nonce).0.is_ok()).count();
    assert_eq!((taken, pool.status().batches), (3, 3));
}

#[test]
fn early_transactions_of_one_client_do_not_keep_out_anothers_turn() {
    let limits = BatchLimits { waiting: 2, ..BatchLimits::default() };
    let mut pool = Mempool::new(ReplicaId(0), conformance::committee(4), limits);
    assert_eq!(submit(&mut pool, 5).0, Ok(()));
    assert_eq!(submit(&mut pool, 6).0, Ok(()));
    assert_eq!(submit(&mut pool, 7).0, Err(Refused::Full { max: 2 }));
    assert_eq!(submit(&mut pool, 0).0, Ok(()), "its turn has come");
}

#[test]
fn refusals_say_why() {
    let mut pool = pool(0);
    let mut actions = Vec::new();
    assert_eq!(pool.submit(transaction(0), 3, &mut actions), Err(Refused::OldNonce { nonce: 0, next: 3 }));
    let max = BatchLimits::default().parked_per_sender;
    let far = max as u64;
    assert_eq!(submit(&mut pool, far).0, Err(Refused::TooFarAhead { nonce: far, next: 0, max }));
    assert_eq!(submit(&mut pool, far - 1).0, Ok(()));
}
