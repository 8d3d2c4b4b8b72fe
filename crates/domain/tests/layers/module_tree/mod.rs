//! The modules of a crate, and which file names which module in a path.
//!
//! This reads text, not syntax: `use` trees with their groups, paths that begin with `crate`, `super`, `self` or a child
//! module, in code and in attributes. A path leads to the module that defines its item: where a module has the item from
//! another one by `use`, to that one. A `pub use` is no import by itself, but the use of its name in the same file is one.
//! Items under `#[cfg(test)]` are skipped.

mod scan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::lexer::tokens;
use scan::Scan;

/// Names of modules from the root of the crate, which is the empty path.
type ModulePath = Vec<String>;

/// Reads a file; `None` if there is no such file.
pub type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// A path that a file names.
#[derive(Debug)]
pub struct Import {
    /// The file that names it.
    pub from: PathBuf,
    /// Line in that file.
    pub line: usize,
    /// The path as it is written, without its groups.
    pub written: String,
    /// The module that it leads to.
    pub module: ModulePath,
    /// The module that names it.
    pub importer: ModulePath,
}

/// The modules of one crate.
pub struct ModuleTree {
    files: BTreeMap<ModulePath, PathBuf>,
    named: Vec<Named>,
    /// By module and name, the path that `use` in that module gives the name to.
    aliases: BTreeMap<(ModulePath, String), Vec<String>>,
}

/// A path as a file has it.
struct Named {
    from: PathBuf,
    line: usize,
    importer: ModulePath,
    segments: Vec<String>,
}

impl ModuleTree {
    /// Reads the crate with the root file `root`. A file that is mounted as several modules is read for each.
    pub fn read(root: &Path, read: Read<'_>) -> Self {
        let mut tree = Self { files: BTreeMap::new(), named: Vec::new(), aliases: BTreeMap::new() };
        let folder = root.parent().unwrap_or(Path::new(""));
        tree.add_file(root, folder, &Vec::new(), read);
        tree
    }

    /// The file of each module.
    pub fn file_of(&self, module: &[String]) -> &Path {
        self.files.get(module).expect("a module of the tree")
    }

    /// Whether a file belongs to a module.
    pub fn has_file(&self, file: &Path) -> bool {
        self.files.values().any(|known| known == file)
    }

    /// Every path that leads to a module of another file.
    pub fn imports(&self) -> Vec<Import> {
        let imports = self.named.iter().filter_map(|named| {
            let module = self.defining(&named.importer, &named.segments)?;
            let written = named.segments.join("::");
            let Named { from, line, importer, .. } = named;
            (self.file_of(&module) != from).then(|| Import {
                from: from.clone(),
                line: *line,
                written,
                module,
                importer: importer.clone(),
            })
        });
        imports.collect()
    }

    /// The module that defines what a path in `importer` leads to; `None` if that is another crate or a local name.
    fn defining(&self, importer: &ModulePath, segments: &[String]) -> Option<ModulePath> {
        let mut module = importer.clone();
        let mut segments = segments.iter().peekable();
        match segments.peek()?.as_str() {
            "crate" => {
                module.clear();
                segments.next();
            }
            "self" => {
                segments.next();
            }
            "super" => {}
            child if self.child(&module, child).is_none() => return None,
            _ => {}
        }
        while let Some(segment) = segments.next() {
            if segment == "super" {
                module.pop()?;
            } else if let Some(child) = self.child(&module, segment) {
                module = child;
            } else if let Some(original) = self.aliases.get(&(module.clone(), segment.clone())) {
                let rest: Vec<String> = original.iter().chain(segments).cloned().collect();
                // From another crate: that is no module of ours.
                return self.defining(&module, &rest);
            } else {
                break;
            }
        }
        Some(module)
    }

    fn child(&self, module: &[String], name: &str) -> Option<ModulePath> {
        let child = [module, &[name.to_owned()]].concat();
        self.files.contains_key(&child).then_some(child)
    }

    /// Reads a file as the module `module`, and the files of its child modules, which lie in `folder`.
    fn add_file(&mut self, file: &Path, folder: &Path, module: &ModulePath, read: Read<'_>) {
        let source = read(file).unwrap_or_else(|| panic!("{} cannot be read", file.display()));
        let tokens = tokens(&source);
        for (child, path, folder) in Scan::new(&tokens, file, folder, module, read).run(self) {
            self.add_file(&path, &folder, &child, read);
        }
    }
}

/// The names of the modules that lead to a module, for messages.
pub fn shown(module: &[String]) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

#[test]
fn paths_lead_to_the_modules_that_they_name() {
    let files = [
        ("src/lib.rs", "mod a; pub mod b; pub use a::Thing; #[cfg(test)] mod t { use crate::b; }"),
        (
            "src/a/mod.rs",
            "mod inner; pub use inner::{self, Deep as Thing}; use super::b::{c::{One, self}, Two as A, *};",
        ),
        (
            "src/a/inner.rs",
            "use crate::{Thing, Own, b as z}; fn f() { std::mem::drop(self::g::h()); self.x::<A>() } mod g { use super::super::Thing; }",
        ),
        (
            "src/b.rs",
            "/// [`crate::a`]\nmod c; mod d { #[path = \"../../queries.rs\"] mod queries; } #[body(crate::a::Thing)] struct S; pub(in crate::a) struct T;",
        ),
        (
            "src/b/c.rs",
            "#[cfg(test)] use crate::a; #[cfg(test)] #[x] fn t() { crate::a::b(); } struct D(crate::a::inner::Deep<'static, {'}'}>); use serde::a;",
        ),
        ("src/queries.rs", "use super::Connection; use super::super::c;"),
    ];
    let read = |path: &Path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned());
    let tree = ModuleTree::read(Path::new("src/lib.rs"), &read);
    let found: Vec<String> = tree
        .imports()
        .iter()
        .map(|import| format!("{} {} -> {}", import.from.display(), import.written, shown(&import.module)))
        .collect();
    assert_eq!(
        found,
        [
            "src/a/mod.rs super::b::c::One -> b::c",
            "src/a/mod.rs super::b::c -> b::c",
            "src/a/mod.rs super::b::Two -> b",
            "src/a/mod.rs super::b -> b",
            "src/a/inner.rs crate::Own -> crate",
            "src/a/inner.rs crate::b -> b",
            "src/b.rs crate::a::Thing -> a::inner",
            "src/b.rs crate::a -> a",
            "src/b/c.rs crate::a::inner::Deep -> a::inner",
            "src/queries.rs super::Connection -> b::d",
            "src/queries.rs super::super::c -> b::c",
        ]
    );
}
