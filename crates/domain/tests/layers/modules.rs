//! The modules of a crate import downwards only.
//!
//! Two rules, for the code of every library and program of the workspace (their tests may import as they like):
//!
//! - **No file imports itself through others.** A path in one file to an item in another file is an edge; all edges
//!   together have no circle. That a parent declares `mod child;` is no edge, but that it imports from the child, or
//!   re-exports from it, is one, and so is an import of the child from the parent's file. A module thus either names its
//!   children, as a table of contents does, or serves them.
//! - **No folder depends on a sibling that depends on it.** Modules with the same parent, each with all that is inside,
//!   have no circle either. So every folder can be read from the bottom upwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::circle::{self, Graph};
use crate::module_tree::{Import, ModuleTree, shown};
use crate::packages;

/// The root files of all libraries and programs of the workspace.
fn roots() -> Vec<PathBuf> {
    let mut roots = Vec::new();
    for package in packages() {
        for target in package["targets"].as_array().expect("a list of targets") {
            let kind = target["kind"][0].as_str().expect("a target has a kind");
            if matches!(kind, "lib" | "bin" | "proc-macro") {
                roots.push(PathBuf::from(target["src_path"].as_str().expect("a target has a file")));
            }
        }
    }
    roots
}

/// The edges of a graph, and for each edge the first import that makes it.
#[derive(Default)]
struct Edges<'a> {
    graph: Graph,
    reasons: BTreeMap<(String, String), &'a Import>,
}

impl<'a> Edges<'a> {
    fn add(&mut self, from: String, to: String, import: &'a Import) {
        self.graph.entry(from.clone()).or_default().insert(to.clone());
        self.reasons.entry((from, to)).or_insert(import);
    }

    /// The shortest circle with the line of each import in it; empty if there is no circle.
    fn circle(&self, title: &str) -> String {
        let Some(circle) = circle::shortest(&self.graph) else { return String::new() };
        let mut message = format!("{title}\n");
        for (at, from) in circle.iter().enumerate() {
            let to = circle[(at + 1) % circle.len()];
            let import = self.reasons[&((*from).to_owned(), to.to_owned())];
            let (file, line) = (import.from.display(), import.line);
            let written = &import.written;
            writeln!(message, "  {from} imports {to}: {file}:{line} names {written}").expect("a text takes any text");
        }
        message
    }
}

#[test]
fn every_source_file_is_in_the_tree() {
    let roots = roots();
    for root in &roots {
        let folder = root.parent().expect("a file lies in a folder");
        let tree = ModuleTree::read(root, &|file: &Path| fs::read_to_string(file).ok());
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder can be read") {
                let path = entry.expect("an entry can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    // A program in `src/bin` is a root itself.
                    let is_placed = tree.has_file(&path) || is_test_only(&path) || roots.contains(&path);
                    assert!(is_placed, "{} is in no module", path.display());
                }
            }
        }
    }
}

/// Whether a file is a module for tests only: the parent of it, or of the folder that it lies in, declares it under
/// `#[cfg(test)]`.
fn is_test_only(file: &Path) -> bool {
    let is_declared_so = |module: &Path| {
        let name = module.file_stem().and_then(|name| name.to_str()).expect("a module has a name");
        ["mod.rs", "lib.rs", "main.rs"].into_iter().any(|parent| {
            fs::read_to_string(module.with_file_name(parent))
                .is_ok_and(|source| source.contains(&format!("#[cfg(test)]\nmod {name};")))
        })
    };
    is_declared_so(file) || file.parent().is_some_and(is_declared_so)
}

#[test]
fn no_file_imports_itself_through_others() {
    let mut circles = String::new();
    for root in roots() {
        let folder = root.parent().expect("a file lies in a folder");
        let tree = ModuleTree::read(&root, &|file: &Path| fs::read_to_string(file).ok());
        let imports = tree.imports();
        let name = |file: &Path| file.strip_prefix(folder).unwrap_or(file).display().to_string();
        let mut edges = Edges::default();
        for import in &imports {
            edges.add(name(&import.from), name(tree.file_of(&import.module)), import);
        }
        circles += &edges.circle(&format!("files of {}:", folder.display()));
    }
    assert!(circles.is_empty(), "imports must lead downwards, but these run in a circle:\n{circles}");
}

#[test]
fn no_folder_depends_on_a_sibling_that_depends_on_it() {
    let mut circles = String::new();
    for root in roots() {
        let tree = ModuleTree::read(&root, &|file: &Path| fs::read_to_string(file).ok());
        let imports = tree.imports();
        let mut siblings: BTreeMap<&[String], Edges> = BTreeMap::new();
        for import in &imports {
            let same = import.importer.iter().zip(&import.module).take_while(|(from, to)| from == to).count();
            if let (Some(from), Some(to)) = (import.importer.get(same), import.module.get(same)) {
                siblings.entry(&import.importer[..same]).or_default().add(from.clone(), to.clone(), import);
            }
        }
        for (parent, edges) in &siblings {
            circles += &edges.circle(&format!("modules inside {} of {}:", shown(parent), root.display()));
        }
    }
    assert!(circles.is_empty(), "imports must lead downwards, but these run in a circle:\n{circles}");
}
