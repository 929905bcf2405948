//! Prints the table of `docs/schemes.md`: what a certificate of each scheme costs.
//!
//! A decision's certificate is made once and checked by all others, so the committee spends `n` signatures, a quorum of
//! admissions, one combination and `n - 1` checks on it.

use quorate_bench::{Case, SIZES, bls_multi, bls_threshold, cpu::micros, ed25519};
use quorate_crypto::{
    Scheme,
    bls::{MinPk, MinSig},
};

fn main() {
    println!("Microseconds of one thread's CPU time, least of 7 rounds. {}\n", machine());
    println!(
        "| scheme | n | quorum | vote bytes | proof bytes | sign | admit | verify vote | combine | verify certificate | collector | follower | committee |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for n in SIZES {
        row("ed25519", n, &ed25519(n));
        row("bls-multi, min_sig", n, &bls_multi::<MinSig>(n));
        row("bls-multi, min_pk", n, &bls_multi::<MinPk>(n));
        row("bls-threshold, min_sig", n, &bls_threshold::<MinSig>(n));
        row("bls-threshold, min_pk", n, &bls_threshold::<MinPk>(n));
    }
}

fn row<S: Scheme>(name: &str, n: usize, case: &Case<S>) {
    let sign = micros(|| case.sign());
    let admit = micros(|| case.admit());
    let verify = micros(|| case.verify());
    let combine = micros(|| case.combine());
    let check = micros(|| case.verify_certificate());
    let collector = sign + case.quorum() as f64 * admit + combine;
    let follower = sign + check;
    let committee = collector + (n - 1) as f64 * follower;
    println!(
        "| {name} | {n} | {} | {} | {} | {sign:.0} | {admit:.0} | {verify:.0} | {combine:.0} | {check:.0} | {collector:.0} | {follower:.0} | {committee:.0} |",
        case.quorum(),
        case.vote_bytes(),
        case.proof_bytes(),
    );
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown processor");
    let profile = if cfg!(debug_assertions) { "a debug build, which measures nothing" } else { "release build" };
    format!("{}; {profile}; blst: portable, no-threads.", model.trim_start_matches(['\t', ' ', ':']))
}
