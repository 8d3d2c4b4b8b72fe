//! The layers of `docs/architecture.md`, asserted: which crate may know which.
#![expect(clippy::expect_used, reason = "a test fails by panicking, helpers included")]

use std::collections::BTreeSet;
use std::process::Command;

/// Every crate of the workspace, and all that it may know of the others (dev-dependencies apart).
const LAYERS: &[(&str, &[&str])] = &[
    ("trailkeeper-domain", &[]),
    ("trailkeeper-parsers", &["trailkeeper-domain"]),
    ("trailkeeper-storage", &["trailkeeper-domain"]),
    ("trailkeeper-auth", &["trailkeeper-domain"]),
    ("trailkeeper-analytics", &["trailkeeper-domain"]),
    ("trailkeeper-http-macros", &[]),
    (
        "trailkeeper-http",
        &[
            "trailkeeper-domain",
            "trailkeeper-parsers",
            "trailkeeper-auth",
            "trailkeeper-analytics",
            "trailkeeper-http-macros",
        ],
    ),
    ("trailkeeper-testkit", &["trailkeeper-domain"]),
    (
        "trailkeeper",
        &[
            "trailkeeper-domain",
            "trailkeeper-parsers",
            "trailkeeper-storage",
            "trailkeeper-auth",
            "trailkeeper-analytics",
            "trailkeeper-http",
        ],
    ),
    ("trailkeeper-example-embed", &["trailkeeper-domain", "trailkeeper-storage", "trailkeeper-analytics"]),
];

/// What a crate must not reach, however indirectly.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("trailkeeper-domain", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-http-macros", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-parsers", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-analytics", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-auth", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-storage", &["actix-web", "utoipa", "jsonwebtoken"]),
    ("trailkeeper-http", &["diesel", "tokio-postgres", "libsqlite3-sys"]),
    ("trailkeeper-example-embed", &["actix-web", "utoipa"]),
    // OpenSSL would be a system library to install.
    ("trailkeeper", &["openssl-sys", "pq-sys", "aws-lc-rs", "rsa"]),
];

#[test]
fn every_crate_knows_only_the_layers_below_it() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "a new crate needs a row in LAYERS and a place in docs/architecture.md");
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let allowed = LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| *allowed).unwrap_or_default();
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"].is_null()) {
            let target = dependency["name"].as_str().expect("a dependency has a name");
            assert!(!known.contains(target) || allowed.contains(&target), "{name} must not know {target}");
        }
    }
}

#[test]
fn no_crate_reaches_what_its_layer_forbids() {
    for (name, forbidden) in FORBIDDEN {
        let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"]);
        let reached: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(reached.contains(name), "cargo tree did not show {name}");
        for crate_name in *forbidden {
            assert!(!reached.contains(crate_name), "{name} reaches {crate_name}");
        }
    }
}

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
