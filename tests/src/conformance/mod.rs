//! The conformance program: one JSON request a line in, one JSON answer a line out, bytes as hexadecimal.
//!
//! A request names its operation in `op`, beside the operation's fields, or is one member of that name with the fields
//! inside. The answer has `ok`: whether what was asked for
//! holds or could be done; where it is false, `why`. Each operation goes through the code that the node runs. Whatever comes
//! in, a line goes out: a request that cannot be read is answered like any other.

mod bls;
mod ed25519;
mod fields;
mod json;
mod merkle;
mod threshold;
mod wire;

use fields::Fields;
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};

/// The longest line that is read. What is longer is answered as refused.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// What an operation answers: members beside `ok: true`, or why not.
type Answer = Result<Value, String>;

/// Answers request after request until the input ends.
pub fn serve(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.len() as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        writeln!(output, "{}", answer(&line))?;
        output.flush()?;
    }
}

/// The answer to one request.
pub fn answer(line: &[u8]) -> Value {
    let result =
        serde_json::from_slice(line).map_err(|error| format!("the request is not JSON: {error}")).and_then(run);
    match result {
        Ok(Value::Object(mut members)) => {
            members.insert("ok".into(), true.into());
            Value::Object(members)
        }
        Ok(_) => json!({ "ok": true }),
        Err(why) => json!({ "ok": false, "why": why }),
    }
}

fn run(request: Value) -> Answer {
    let (operation, fields) = operation(&request).ok_or("the request has no `op`")?;
    match operation {
        "ed25519_verify" => ed25519::verify(&fields),
        "bls_sign" => bls::sign(&fields),
        "bls_verify" => bls::verify(&fields),
        "bls_decode" => bls::decode(&fields),
        "bls_aggregate" => bls::aggregate(&fields),
        "bls_aggregate_verify" => bls::aggregate_verify(&fields),
        "bls_fast_aggregate_verify" => bls::fast_aggregate_verify(&fields),
        "hash_to_curve" => bls::hash_to_curve(&fields),
        "threshold_partial_verify" => threshold::partial_verify(&fields),
        "threshold_combine" => threshold::combine(&fields),
        "merkle_root" => merkle::root(&fields),
        "merkle_inclusion" => merkle::inclusion(&fields),
        "merkle_consistency" => merkle::consistency(&fields),
        "json_decode" => json::decode(&fields),
        "wire_decode" => wire::decode(&fields),
        "wire_kinds" => wire::kinds(),
        unknown => Err(format!("no operation `{unknown}`")),
    }
}

/// `{"op": name, fields...}`, or `{name: {fields...}}`.
fn operation(request: &Value) -> Option<(&str, Fields<'_>)> {
    if let Some(name) = request.get("op") {
        return Some((name.as_str()?, Fields::of(request)));
    }
    match request.as_object()?.iter().next()? {
        (name, fields @ Value::Object(_)) => Some((name, Fields::of(fields))),
        _ => None,
    }
}

/// `Ok` with nothing to add, or the refusal.
fn holds(condition: bool, refusal: &str) -> Answer {
    if condition { Ok(Value::Null) } else { Err(refusal.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_answered_and_not_fatal() {
        let deep = "[".repeat(100_000);
        for request in ["", "null", "[]", "{", "{\"op\": 1}", "{\"op\": \"none\"}", "{\"op\": \"bls_sign\"}", &deep] {
            assert_eq!(answer(request.as_bytes())["ok"], false, "{}", &request[..request.len().min(40)]);
        }
        assert_eq!(answer(&[0xff, 0xfe])["ok"], false);
    }

    #[test]
    fn each_line_gets_its_answer() {
        let mut output = Vec::new();
        serve(&b"{\"op\": \"wire_kinds\"}\n\nnonsense\n{\"op\": \"wire_kinds\"}"[..], &mut output).expect("memory");
        let lines: Vec<Value> = String::from_utf8(output)
            .expect("text")
            .lines()
            .map(|line| serde_json::from_str(line).expect("an answer"))
            .collect();
        assert_eq!(lines.iter().map(|line| line["ok"] == true).collect::<Vec<_>>(), [true, false, true]);
    }
}
