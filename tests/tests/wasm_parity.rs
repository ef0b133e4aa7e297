//! The WebAssembly build computes the bits of the native build.
//!
//! One function, `sandtable_wasm::parity::fingerprints`, is compiled twice: here, and to wasm32 for Node.js.
#![expect(clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sandtable_wasm::parity;

type Fingerprints = BTreeMap<String, String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn native() -> Fingerprints {
    parity::fingerprints().unwrap_or_else(|error| panic!("{error}")).into_iter().collect()
}

/// The last line a script printed, or why there is none.
fn last_line(program: &str, output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim_end().lines().last() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(format!(
            "{program} ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        )),
    }
}

fn setup_is_complete() -> Result<(), String> {
    let check = Command::new("bash").arg(root().join(".ci/setup")).arg("--check").output();
    last_line(".ci/setup --check", check).map(drop)
}

fn in_node() -> Result<Fingerprints, String> {
    let folder = last_line(".ci/wasm-node", Command::new("bash").arg(root().join(".ci/wasm-node")).output())?;
    let script = root().join("tests/node/parity.cjs");
    let json = last_line("node", Command::new("node").arg(script).arg(folder).output())?;
    serde_json::from_str(&json).map_err(|error| format!("node printed no object of strings: {error}"))
}

fn is_required() -> bool {
    ["CI", "SANDTABLE_REQUIRE_WASM"]
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "0" && value != "false"))
}

/// One line for each name whose hash differs or that only one side has.
fn differences(native: &Fingerprints, wasm: &Fingerprints) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = native.keys().chain(wasm.keys()).collect();
    names
        .into_iter()
        .filter(|name| native.get(*name) != wasm.get(*name))
        .map(|name| format!("{name}: native {:?}, wasm {:?}", native.get(name), wasm.get(name)))
        .collect()
}

#[test]
fn node_gives_the_native_bits() {
    if let Err(reason) = setup_is_complete() {
        assert!(!is_required(), "the wasm toolchain is required here, and {reason}");
        // Straight to the terminal: the harness swallows what a passing test prints.
        let _ = writeln!(std::io::stderr(), "skipped: node_gives_the_native_bits: {reason}");
        return;
    }
    let wasm = in_node().unwrap_or_else(|reason| panic!("{reason}"));
    let differences = differences(&native(), &wasm);
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), wasm.len(), differences.join("\n"));
}

#[test]
fn a_single_bit_is_a_difference() {
    let ours = native();
    assert!(differences(&ours, &ours).is_empty());
    let mut theirs = ours.clone();
    theirs.insert("num/exp".into(), blake3_of_nothing());
    theirs.remove("num/ln");
    let found = differences(&ours, &theirs);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("num/exp: ") && found[1].starts_with("num/ln: "), "{found:?}");
}

fn blake3_of_nothing() -> String {
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".into()
}

/// Names of the public functions in a source file of the core.
fn public_functions(file: &str) -> Vec<String> {
    let source = std::fs::read_to_string(root().join("core/src").join(file)).unwrap_or_else(|error| panic!("{error}"));
    let names = source.lines().filter_map(|line| line.trim_start().strip_prefix("pub fn ")?.split(['(', '<']).next());
    names.map(str::to_owned).collect()
}

#[test]
fn nothing_of_the_mathematics_is_left_out() {
    let compared = native();
    for (room, file) in [("num", "num.rs"), ("rng", "rng.rs")] {
        let functions = public_functions(file);
        assert!(functions.len() > 5, "{file}: {functions:?}");
        // A constructor draws nothing.
        for function in functions.iter().filter(|name| *name != "new") {
            assert!(
                compared.contains_key(&format!("{room}/{function}")),
                "add {room}::{function} to wasm/src/parity.rs"
            );
        }
    }
}
