//! Threshold signatures: partials against commitments, and their combination.

use super::{
    Answer, Fields,
    bls::{by_variant, hexadecimal, point, points},
    holds,
};
use quorate_crypto::bls::{Commitments, MinPk, MinSig, Variant, check_index, combine as combine_partials};
use serde_json::{Value, json};

fn index(value: u64) -> Result<u16, String> {
    u16::try_from(value).map_err(|_| format!("no share has index {value}"))
}

pub(super) fn partial_verify(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, partial_verify_in)
}

fn partial_verify_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    let (threshold, n, index) = (fields.size("threshold")?, fields.size("n")?, index(fields.number("index")?)?);
    check_index(threshold, n, index).map_err(|error| error.to_string())?;
    let commitments = Commitments::<V>::new(points(fields, "commitments")?).ok_or("no commitments, or too many")?;
    holds(commitments.threshold() == threshold, "not as many commitments as the threshold")?;
    let share = commitments.public_share(index).ok_or("the share of this index is zero")?;
    let signature = point(&fields.bytes("signature")?)?;
    holds(V::verify(&share, &fields.bytes("message")?, fields.tag()?, &signature), "the partial does not verify")
}

pub(super) fn combine(fields: &Fields<'_>) -> Answer {
    by_variant!(fields, combine_in)
}

fn combine_in<V: Variant>(fields: &Fields<'_>) -> Answer {
    fields.tag()?;
    let partial = |value: &Value| {
        let fields = Fields::of(value);
        Ok((index(fields.number("index")?)?, point(&fields.bytes("signature")?)?))
    };
    let partials: Vec<_> = fields.list("partials")?.iter().map(partial).collect::<Result<_, String>>()?;
    let combined = combine_partials::<V>(fields.size("threshold")?, fields.size("n")?, &partials);
    let signature = combined.map_err(|error| error.to_string())?;
    Ok(json!({ "signature": hexadecimal(signature.to_bytes()) }))
}
