//! What the parity of the targets rests on: that a difference is seen, and that nothing of the mathematics is left out.
//! The targets themselves are run by the program `parity`.
#![expect(clippy::panic, reason = "a test may stop at the first surprise")]

use std::path::Path;

use sandtable_tests::parity::{Target, differences};

#[test]
fn a_single_bit_is_a_difference() {
    let ours = Target::NativeOne.run().unwrap_or_else(|error| panic!("{error}"));
    assert!(differences(&ours, &ours).is_empty());
    let mut theirs = ours.clone();
    theirs.insert("num/exp".into(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".into());
    theirs.remove("num/ln");
    let found = differences(&ours, &theirs);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("num/exp: ") && found[1].starts_with("num/ln: "), "{found:?}");
}

#[test]
fn threads_and_chunks_change_nothing() {
    let [one, many] =
        [Target::NativeOne, Target::NativeMany].map(|t| t.run().unwrap_or_else(|error| panic!("{error}")));
    let found = differences(&one, &many);
    assert!(found.is_empty(), "{found:?}");
    assert!(one.contains_key("results/W1"));
}

/// Names of the public functions in a source file of the core.
fn public_functions(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src").join(file);
    let source = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"));
    let names = source.lines().filter_map(|line| line.trim_start().strip_prefix("pub fn ")?.split(['(', '<']).next());
    names.map(str::to_owned).collect()
}

#[test]
fn nothing_of_the_mathematics_is_left_out() {
    let compared = Target::NativeOne.run().unwrap_or_else(|error| panic!("{error}"));
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
