//! Notes which compiler and which settings the program is built with, for the environment that an audit records.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let version = Command::new(variable("RUSTC")).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    println!("cargo:rustc-env=SANDTABLE_RUSTC={version}");
    println!("cargo:rustc-env=SANDTABLE_TARGET={}", variable("TARGET"));
    println!("cargo:rustc-env=SANDTABLE_PROFILE={} (opt-level {})", variable("PROFILE"), variable("OPT_LEVEL"));
}
