//! Plants every fault under `tests/mutants/` in a copy of the tree and demands that the checks notice:
//! `cargo run -p quorate-tests --bin mutants [-- NAME...]`.
//!
//! Exit code 0: all were caught; 1: one was not, or no longer applies, or does not build; 2: wrong arguments.

use quorate_tests::mutants::{Expectation, Mutant, Tree, workspace};
use std::{collections::BTreeSet, error::Error, path::PathBuf, process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    match Mutant::all(&workspace().join("tests/mutants")) {
        Ok(mutants) => match select(mutants, &names) {
            Ok(mutants) => run(&mutants),
            Err(unknown) => {
                eprintln!("no such mutant: {unknown}; see tests/mutants/");
                ExitCode::from(2)
            }
        },
        Err(error) => {
            eprintln!("tests/mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

fn select(mutants: Vec<Mutant>, names: &[String]) -> Result<Vec<Mutant>, String> {
    if let Some(unknown) = names.iter().find(|name| !mutants.iter().any(|mutant| mutant.name == **name)) {
        return Err(unknown.clone());
    }
    Ok(mutants.into_iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)).collect())
}

fn run(mutants: &[Mutant]) -> ExitCode {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let tree = match Tree::copy(&workspace(), &target.join("mutants")) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("the tree cannot be copied: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(why) = unpatched(&tree, mutants) {
        eprintln!("without any mutant: {why}");
        return ExitCode::FAILURE;
    }
    let mut rows = vec![["mutant".to_owned(), "what is broken".to_owned(), "caught by".to_owned(), "how".to_owned()]];
    let mut survivors = 0;
    for mutant in mutants {
        for expectation in &mutant.expectations {
            eprintln!("{}: {}", mutant.name, expectation.check);
            let how = hunt(&tree, mutant, expectation).unwrap_or_else(|why| {
                survivors += 1;
                format!("NOT CAUGHT: {why}")
            });
            rows.push([mutant.name.clone(), mutant.breaks.clone(), expectation.check.to_string(), how]);
        }
    }
    if let Err(error) = tree.restore() {
        eprintln!("the copy is left patched: {error}");
    }
    print(&rows);
    println!("{} mutants, {} checks, {survivors} not caught", mutants.len(), rows.len() - 1);
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All checks pass on the tree as it is: or their failing would mean nothing.
fn unpatched(tree: &Tree, mutants: &[Mutant]) -> Result<(), Box<dyn Error>> {
    let checks: BTreeSet<_> = mutants.iter().flat_map(|mutant| &mutant.expectations).map(|e| &e.check).collect();
    for check in checks {
        eprintln!("unpatched: {check}");
        let ran = check.build(tree)?;
        let ran = if ran.is_ok { check.run(tree)? } else { ran };
        if !ran.is_ok {
            return Err(format!("`{check}` fails\n{}", ran.output).into());
        }
    }
    Ok(())
}

/// How the mutant was caught.
fn hunt(tree: &Tree, mutant: &Mutant, expectation: &Expectation) -> Result<String, Box<dyn Error>> {
    tree.restore()?;
    tree.apply(&mutant.patch)?;
    let built = expectation.check.build(tree)?;
    if !built.is_ok {
        eprintln!("{}", built.output);
        return Err("it does not build".into());
    }
    let began = Instant::now();
    let ran = expectation.check.run(tree)?;
    let took = began.elapsed().as_secs_f64();
    if ran.is_ok {
        return Err("the check passes".into());
    }
    match ran.output.lines().find(|line| line.contains(&expectation.says)) {
        Some(line) => Ok(format!("{took:.1} s: {}", line.trim().chars().take(160).collect::<String>())),
        None => {
            eprintln!("{}", ran.output);
            Err(format!("the check fails without saying `{}`", expectation.says).into())
        }
    }
}

fn print(rows: &[[String; 4]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, breaks, check) = (width(0), width(1), width(2));
    for [a, b, c, d] in rows {
        println!("{a:name$} | {b:breaks$} | {c:check$} | {d}");
    }
}
