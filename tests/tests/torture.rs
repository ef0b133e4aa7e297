//! The program under fire, briefly: five kills and three requests to end; `torture --kills 200` is the long version.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::Command;

#[test]
fn a_study_that_is_ended_at_any_moment_comes_out_the_same() {
    // Built with the other tests of the workspace; without it the program says how to make it.
    let output = Command::new(env!("CARGO_BIN_EXE_torture")).args(["--kills", "5", "--terms", "3"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("SIGTERM: 3 ends, 3 identical, 0 lost\n"), "{said}");
    assert!(said.ends_with("torture: 5 kills, 5 identical, 0 lost\n"), "{said}");
}
