//! What a build without the feature `lab` is made of. That its binary knows no attack by name, `.ci/run` looks at.

use std::process::Command;

/// What a build of this crate with these flags links: packages, or features, one a line.
fn tree(edges: &str, flags: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "-p", "quorate-node", "--prefix", "none", "-e", edges]).args(flags);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn names(tree: &str, package: &str) -> bool {
    tree.lines().any(|line| line.split(' ').next() == Some(package))
}

#[test]
fn without_the_lab_there_is_no_simulator_and_no_attacker() {
    let (with, without) = (tree("normal", &[]), tree("normal", &["--no-default-features"]));
    for package in ["quorate-byzantine", "quorate-sim", "quorate-sim-real", "quorate-scenario"] {
        assert!(names(&with, package), "{package} is there by default");
        assert!(!names(&without, package), "{package} is not to be there:\n{without}");
    }
    assert!(names(&without, "quorate-consensus"), "{without}");
}

/// Nor can anybody change a step that an honest replica made, or say who leads.
#[test]
fn without_the_lab_consensus_has_none_of_the_simulators_features() {
    let (with, without) = (tree("features", &[]), tree("features", &["--no-default-features"]));
    for feature in ["attack", "scripted"] {
        let line = format!("quorate-consensus feature \"{feature}\"");
        assert!(with.contains(&line), "{line} is there by default:\n{with}");
        assert!(!without.contains(&line), "{line} is not to be there:\n{without}");
    }
}
