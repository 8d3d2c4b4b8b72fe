//! The layers of `docs/architecture.md`, asserted: which crate may know which, and that the modules of a crate import
//! downwards only.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod circle;
mod crates;
mod lexer;
mod module_tree;
mod modules;

use std::process::Command;

/// The output of a cargo command. Cargo may not reach the network, so that the test does not depend on it.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// The packages of the workspace, as `cargo metadata` describes them.
fn packages() -> Vec<serde_json::Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let mut metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo metadata prints JSON");
    serde_json::from_value(metadata["packages"].take()).expect("a list of packages")
}
