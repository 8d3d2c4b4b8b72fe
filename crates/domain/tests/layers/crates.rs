//! The dependencies that each crate may have.

use std::collections::BTreeSet;

use crate::{cargo, packages};

/// Every crate of the workspace, and the other ones that it may depend on (dev-dependencies apart).
const LAYERS: &[(&str, &[&str])] = &[
    ("trailkeeper-domain", &[]),
    ("trailkeeper-parsers", &["trailkeeper-domain"]),
    ("trailkeeper-postings", &["trailkeeper-domain"]),
    ("trailkeeper-storage", &["trailkeeper-domain", "trailkeeper-postings"]),
    ("trailkeeper-auth", &["trailkeeper-domain"]),
    ("trailkeeper-analytics", &["trailkeeper-domain", "trailkeeper-postings"]),
    ("trailkeeper-export", &["trailkeeper-domain"]),
    ("trailkeeper-forward", &["trailkeeper-domain", "trailkeeper-auth"]),
    ("trailkeeper-http-macros", &[]),
    (
        "trailkeeper-http",
        &[
            "trailkeeper-domain",
            "trailkeeper-parsers",
            "trailkeeper-auth",
            "trailkeeper-analytics",
            "trailkeeper-export",
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
            "trailkeeper-export",
            "trailkeeper-forward",
            "trailkeeper-http",
        ],
    ),
    ("trailkeeper-example-embed", &["trailkeeper-domain", "trailkeeper-storage", "trailkeeper-analytics"]),
];

/// Packages that a crate must not depend on, directly or indirectly.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("trailkeeper-domain", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-http-macros", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-parsers", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-postings", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-export", &["diesel", "actix-web", "tokio", "utoipa", "ring"]),
    ("trailkeeper-analytics", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-auth", &["diesel", "actix-web", "tokio", "utoipa"]),
    ("trailkeeper-forward", &["diesel", "actix-web", "utoipa"]),
    ("trailkeeper-storage", &["actix-web", "utoipa", "jsonwebtoken"]),
    ("trailkeeper-http", &["diesel", "tokio-postgres", "libsqlite3-sys"]),
    ("trailkeeper-example-embed", &["actix-web", "utoipa"]),
    // OpenSSL would be a system library to install.
    ("trailkeeper", &["openssl-sys", "pq-sys", "aws-lc-rs", "rsa"]),
];

#[test]
fn every_crate_knows_lower_layers_only() {
    let packages = packages();
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "a new crate needs a row in LAYERS and in the table of docs/architecture.md");
    for package in &packages {
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
