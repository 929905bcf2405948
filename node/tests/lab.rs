//! Faults on purpose in real processes: refused to whoever may not, felt where they are in force, and survived by the others.

#![cfg(feature = "lab")]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything that must happen may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

fn quorate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("QUORATE_NODE");
    command
}

/// A process that is ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `quorate testnet`.
struct Testnet {
    process: Running,
    lines: BufReader<ChildStdout>,
    ready: Value,
    token: String,
    client: Client,
}

/// Asks one request after the other.
struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

impl Client {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, http: reqwest::Client::new() }
    }

    fn get(&self, url: &str) -> Option<Value> {
        self.runtime.block_on(async { self.http.get(url).send().await.ok()?.json().await.ok() })
    }

    /// The status and the body.
    fn put(&self, url: &str, bearer: Option<&str>, body: String) -> Option<(u16, Value)> {
        let mut request = self.http.put(url).body(body);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.ok()?;
            Some((answer.status().as_u16(), answer.json().await.ok()?))
        })
    }

    fn faults(&self, url: &str, bearer: &str) -> Option<Value> {
        let request = self.http.get(url).bearer_auth(bearer);
        self.runtime.block_on(async { request.send().await.ok()?.json().await.ok() })
    }
}

/// Waits until it is true of something that is looked at again and again.
fn until<T: std::fmt::Debug>(what: &str, look: impl Fn() -> Option<T>, is: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        let seen = look();
        match seen {
            Some(seen) if is(&seen) => return seen,
            seen => assert!(began.elapsed() < PATIENCE, "{what}: still {seen:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Testnet {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = quorate(&["testnet", "--output", "ndjson"]);
        let mut process = command.args(arguments).arg("--home").arg(home).stdout(Stdio::piped()).spawn().expect("runs");
        let lines = BufReader::new(process.stdout.take().expect("piped"));
        let (process, client) = (Running(process), Client::new());
        let mut testnet = Self { process, lines, ready: Value::Null, token: String::new(), client };
        testnet.ready = testnet.event("ready");
        testnet.token = fs::read_to_string(home.join("fault_token")).expect("a token").trim().to_owned();
        testnet
    }

    /// The next event of this name.
    fn event(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("readable");
            assert!(read > 0, "the testnet ended before it said `{name}`");
            let event: Value = serde_json::from_str(&line).expect("one JSON document a line");
            if event["event"] == name {
                return event;
            }
        }
    }

    fn url(&self, node: usize, path: &str) -> String {
        let api = self.ready["validators"][node]["api"].as_str().expect("an address");
        format!("{}{path}", if api.starts_with("http") { api.to_owned() } else { format!("http://{api}") })
    }

    fn ask_for(&self, node: usize, faults: &Value) -> (u16, Value) {
        let asked = self.client.put(&self.url(node, "/v1/faults"), Some(&self.token), faults.to_string());
        asked.expect("an answer")
    }

    fn put(&self, node: usize, faults: &Value) -> Value {
        let (status, body) = self.ask_for(node, faults);
        assert_eq!(status, 200, "{faults}: {body}");
        body
    }

    fn refused(&self, faults: &Value) -> String {
        let (status, body) = self.ask_for(0, faults);
        assert!(status >= 400, "{faults}: {body}");
        format!(
            "{status} {} {}",
            body["code"].as_str().unwrap_or_default(),
            body["detail"].as_str().unwrap_or_default()
        )
    }

    fn faults(&self, node: usize) -> Option<Value> {
        self.client.faults(&self.url(node, "/v1/faults"), &self.token)
    }

    fn height(&self, node: usize) -> Option<u64> {
        self.client.get(&self.url(node, "/v1/status"))?["height"].as_u64()
    }

    /// So many more blocks are committed by this validator.
    fn goes_on(&self, node: usize, why: &str) {
        let before = until(why, || self.height(node), |_| true);
        until(why, || self.height(node), |now| *now >= before + 8);
    }

    /// Ctrl-C and the verdict.
    fn verdict(mut self) -> Value {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("runs").success());
        self.event("end")["result"]["verdict"].clone()
    }
}

#[test]
fn each_refusal_has_its_reason() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--nodes", "1"]);
    let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(home.join("fault_token")), mode(home.join("node0/config/fault_token"))), (0o600, 0o600));

    let url = testnet.url(0, "/v1/faults");
    for (bearer, reason) in [(None, "bears no token"), (Some("0123"), "another token")] {
        let (status, body) = testnet.client.put(&url, bearer, "{}".to_owned()).expect("an answer");
        assert_eq!((status, &body["code"]), (401, &"unauthorized".into()), "{body}");
        assert!(body["detail"].as_str().is_some_and(|why| why.contains(reason)), "{body}");
    }
    assert_eq!(testnet.client.get(&url).expect("a problem")["code"], "unauthorized");

    assert!(testnet.refused(&json!({"clock": 3})).starts_with("400 wrong-shape"), "no such member");
    let bad = |faults| testnet.refused(&faults).strip_prefix("422 bad-faults ").expect("of that kind").to_owned();
    assert!(bad(json!({"links": {"1": {}}})).contains("1 members"));
    assert!(bad(json!({"attack": {"replica": 2, "attack": "silent"}})).contains("this validator is replica 0"));
    let why = bad(json!({"attack": {"replica": 0, "attack": "omit-prepared"}, "skew_ms": 7}));
    assert!(why.contains("`omit-prepared`") && why.contains("tail-fork"), "PBFT's, and HotStuff's are named: {why}");
    let status = testnet.faults(0).expect("a status");
    assert_eq!(status["in_force"]["skew_ms"], 0, "what is refused is refused as a whole: {status}");

    // The same validator by itself, without a token.
    assert_eq!(testnet.verdict(), "agree");
    fs::remove_file(home.join("node0/config/fault_token")).expect("there");
    assert_eq!(asked_alone(&home.join("node0")), "403 no-fault-token");
    // And one of a chain that does not allow faults, whatever lies in its home.
    let own = dir.path().join("own");
    make_own_chain(&own);
    fs::write(own.join("config/fault_token"), "0123\n").expect("written");
    assert_eq!(asked_alone(&own), "403 faults-forbidden");
}

/// What a validator that runs alone answers to whoever bears the token `0123`.
fn asked_alone(home: &Path) -> String {
    // Free a moment ago, which is as good as can be had.
    let address = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").to_string();
    let mut command = quorate(&["node", "--api-listen", &address, "--home"]);
    let _node = Running(command.arg(home).stderr(Stdio::null()).spawn().expect("runs"));
    let client = Client::new();
    let ask = || client.put(&format!("http://{address}/v1/faults"), Some("0123"), "{}".to_owned());
    let (status, body) = until("it answers", ask, |_| true);
    format!("{status} {}", body["code"].as_str().unwrap_or_default())
}

fn make_own_chain(home: &Path) {
    let told = |mut command: Command| {
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let mut keygen = quorate(&["keygen", "--name", "solo", "--home"]);
    keygen.arg(home);
    let entry = home.join("entry.json");
    let made = told(keygen);
    fs::write(&entry, made).expect("written");
    let mut new = quorate(&["genesis", "new", "--chain", "own", "--validator"]);
    new.arg(&entry);
    fs::write(home.join("config/genesis.json"), told(new)).expect("written");
    fs::write(home.join("config/config.toml"), "[network]\nlisten = \"127.0.0.1:0\"\n").expect("written");
}

#[test]
fn hotstuff_goes_on_under_faults_and_attacks_that_come_and_go() {
    faults_come_and_go("hotstuff", "equivocate");
}

#[test]
fn pbft_goes_on_under_faults_and_attacks_that_come_and_go() {
    faults_come_and_go("pbft", "double-vote");
}

fn faults_come_and_go(protocol: &str, attack: &str) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let mut testnet = Testnet::start(&home, &["--protocol", protocol, "--load", "60"]);
    testnet.goes_on(0, "without faults");

    // What its replica says, what its mempool shares, and bytes that are no message.
    for attack in [attack, "withhold-batch", "garbage"] {
        let before = testnet.faults(1).expect("a status")["deeds"].as_u64();
        let status = testnet.put(1, &json!({"attack": {"replica": 1, "attack": attack}}));
        assert_eq!(status["in_force"]["attack"]["attack"], attack, "in force when it is answered: {status}");
        let status = until(attack, || testnet.faults(1), |status| status["attack"]["deeds"].as_u64() > Some(0));
        assert!(status["attack"]["is_on"] == true && status["deeds"].as_u64() > before, "{status}");
        testnet.goes_on(0, attack);
    }
    lies_to_whoever_catches_up(&testnet);
    let status = testnet.put(1, &json!({}));
    assert_eq!((&status["in_force"]["attack"], &status["attack"]), (&Value::Null, &Value::Null));
    testnet.goes_on(1, "honest again");
    let deeds = status["deeds"].clone();
    assert_eq!(testnet.faults(1).expect("a status")["deeds"], deeds, "what is over does no more");

    // An attack that begins later waits for its view.
    let later = json!({"attack": {"replica": 1, "attack": attack, "from-view": u64::MAX}});
    assert_eq!(testnet.put(1, &later)["attack"], json!({"is_on": false, "deeds": 0}));

    let slow = testnet.put(1, &json!({"disks": {"journal": {"delay_ms": 60}}}));
    let syncs = slow["disks"]["journal"]["syncs"].as_u64();
    let felt = |status: &Value| {
        let journal = &status["disks"]["journal"];
        journal["syncs"].as_u64() > syncs && journal["last_sync_ms"].as_f64() >= Some(60.0)
    };
    until("a slow disk", || testnet.faults(1), felt);
    testnet.goes_on(0, "a slow disk");

    let hour = 3_600_000;
    let before = testnet.faults(1).expect("a status")["clock_ms"].as_u64().expect("a time");
    let status = testnet.put(1, &json!({"skew_ms": hour, "disks": {"blocks": {"delay_ms": 1}}}));
    assert!(status["clock_ms"].as_u64() >= Some(before + hour), "{status}");
    if protocol == "hotstuff" {
        // Everybody leads in turn there, and no block is older than its parent.
        let head = || testnet.client.get(&testnet.url(0, "/v1/status"))?["head_time"].as_u64();
        until("a clock that is ahead", head, |time| *time >= before + hour);
    }
    testnet.goes_on(0, "a clock that is ahead");

    let fault = if protocol == "hotstuff" { json!({"full_after": 2000}) } else { json!({"sync_fails": true}) };
    testnet.put(1, &json!({"disks": {"journal": fault}}));
    let died = testnet.event("died");
    let why = died["log_tail"].as_str().unwrap_or_default();
    let reason = if protocol == "hotstuff" { "No space left on device" } else { "Input/output error" };
    assert_eq!((&died["validator"], &died["how"]), (&"node1".into(), &"exit code 1".into()), "{died}");
    assert!(why.contains("the vote journal cannot be written") && why.contains(reason), "{died}");
    testnet.goes_on(0, "one is gone");
    assert_eq!(testnet.verdict(), "agree");
}

/// What its ledger answers: nothing reaches one of the others for a while, and then only what the liar says.
fn lies_to_whoever_catches_up(testnet: &Testnet) {
    let liar = |links: Value| json!({"attack": {"replica": 1, "attack": "lying-sync"}, "links": links});
    let cut = json!({"3": {"cut": true}});
    testnet.put(1, &liar(cut.clone()));
    [0, 2].into_iter().for_each(|honest| drop(testnet.put(honest, &json!({"links": cut}))));
    testnet.goes_on(0, "one hears nothing");
    testnet.put(1, &liar(json!({})));
    until("the liar is asked", || testnet.faults(1), |status| status["attack"]["deeds"].as_u64() > Some(0));
    let head = testnet.height(0);
    [0, 2].into_iter().for_each(|honest| drop(testnet.put(honest, &json!({}))));
    until("it catches up from the others", || testnet.height(3), |height| Some(*height) >= head);
}

/// More than `f`: two who do not hear each other are each shown a chain of their own, and one votes for both. An honest validator that
/// comes to see both chains proven final stops, and what lies on the disks names the liars.
#[test]
fn two_liars_of_four_fork_pbft_and_both_are_named() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().join("net");
    let testnet = Testnet::start(&home, &["--protocol", "pbft", "--load", "30"]);
    testnet.goes_on(0, "without liars");
    let leader = testnet.client.get(&testnet.url(0, "/v1/status")).expect("a status")["leader"].as_u64();
    let leader = usize::try_from(leader.expect("a number")).expect("one of four");
    // Of the others the first is shown the other chain.
    let others: Vec<_> = (0..4).filter(|node| *node != leader).collect();
    let &[apart, accomplice, other] = &others[..] else { panic!("three others") };
    for (from, to) in [(apart, other), (other, apart)] {
        testnet.put(from, &json!({"links": {to.to_string(): {"cut": true}}}));
    }
    testnet.put(accomplice, &json!({"attack": {"replica": accomplice, "attack": "two-faced"}}));
    testnet.put(leader, &json!({"attack": {"replica": leader, "attack": "equivocate"}}));
    let stops = || {
        let logs =
            [apart, other].map(|node| fs::read_to_string(home.join(format!("node{node}.log"))).unwrap_or_default());
        Some(logs.iter().any(|log| log.contains("SAFETY VIOLATION")))
    };
    until("somebody honest stops", stops, |stops| *stops);
    assert_eq!(testnet.verdict(), "differ");

    let homes: Vec<_> = (0..4).map(|node| home.join(format!("node{node}"))).collect();
    let output = quorate(&["forensics", "--output", "json"]).args(homes).output().expect("runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut liars = [leader, accomplice];
    liars.sort_unstable();
    assert_eq!((output.status.code(), &report["culprits"]), (Some(3), &json!(liars)), "{report}");
}
