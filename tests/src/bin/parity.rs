//! Runs the same cases on every target (native with one and several threads, the package in Node.js and in headless
//! Chromium, without and with threads) and compares the hashes of their bits.
//!
//! Needs what `.ci/wasm-package` and `npm --prefix web ci` made, and Chromium. Ends with
//! `parity: N cases, T targets, D different`; a target that cannot run counts as different.

use std::process::ExitCode;

use sandtable_tests::parity::{Target, differences};

fn main() -> ExitCode {
    let reference = match Target::NativeOne.run() {
        Ok(reference) => reference,
        Err(error) => {
            println!("{error}");
            println!("parity: 0 cases, 0 targets, 1 different");
            return ExitCode::FAILURE;
        }
    };
    let mut different = 0;
    for target in Target::ALL {
        let found = match target.run() {
            Ok(found) => differences(&reference, &found),
            Err(error) => vec![format!("could not run: {error}")],
        };
        let verdict = if found.is_empty() { "the same bits".to_owned() } else { format!("{} different", found.len()) };
        println!("{:<20} {verdict}", target.name());
        found.iter().for_each(|line| println!("  {line}"));
        different += found.len();
    }
    println!("parity: {} cases, {} targets, {different} different", reference.len(), Target::ALL.len());
    if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
