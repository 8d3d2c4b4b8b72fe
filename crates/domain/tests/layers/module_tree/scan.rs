//! The walk over the tokens of one file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{ModulePath, ModuleTree, Named, Read};
use crate::lexer::{Located, Token};

/// Words before the name that an item gives itself.
const DEFINITIONS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];

/// A walk over the tokens of one file.
pub(super) struct Scan<'a> {
    tokens: &'a [Located],
    at: usize,
    file: &'a Path,
    read: Read<'a>,
    /// The folders of the child modules of this module, and of the inline modules around it.
    folders: Vec<PathBuf>,
    module: ModulePath,
    /// Names that `pub use` in this file gives, with their lines and paths.
    reexports: Vec<(String, usize, Vec<String>)>,
    /// Names that this file uses without a path in front.
    used: BTreeSet<String>,
}

impl<'a> Scan<'a> {
    /// A walk that begins at the first token of `file`, the module `module`. Child modules lie in `folder`.
    pub(super) fn new(
        tokens: &'a [Located],
        file: &'a Path,
        folder: &Path,
        module: &ModulePath,
        read: Read<'a>,
    ) -> Self {
        let folders = vec![folder.to_owned()];
        let (reexports, used) = (Vec::new(), BTreeSet::new());
        Self { tokens, at: 0, file, read, folders, module: module.clone(), reexports, used }
    }

    /// Notes the paths of the file in `tree`, and returns its child modules, each with its file and the folder of its
    /// own child modules.
    pub(super) fn run(mut self, tree: &mut ModuleTree) -> Vec<(ModulePath, PathBuf, PathBuf)> {
        let mut children = Vec::new();
        self.modules(tree, &mut children);
        for (name, line, segments) in std::mem::take(&mut self.reexports) {
            if self.used.contains(&name) {
                self.note(tree, line, &segments);
            }
        }
        children
    }

    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|located| &located.token)
    }

    fn is_name(&self, ahead: usize, name: &str) -> bool {
        matches!(self.token(ahead), Some(Token::Name(found)) if found == name)
    }

    fn is_sign(&self, ahead: usize, sign: char) -> bool {
        self.token(ahead) == Some(&Token::Sign(sign))
    }

    fn name(&self, ahead: usize) -> Option<&str> {
        match self.token(ahead) {
            Some(Token::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Reads items up to the end of the module: notes its paths in `tree` and its child files in `children`.
    fn modules(&mut self, tree: &mut ModuleTree, children: &mut Vec<(ModulePath, PathBuf, PathBuf)>) {
        tree.files.insert(self.module.clone(), self.file.to_owned());
        let mut depth = 0_usize;
        let mut mounted: Option<String> = None;
        while self.token(0).is_some() {
            if self.is_sign(0, '#') && self.is_sign(1, '[') {
                if self.is_test_only() {
                    self.skip_item();
                    continue;
                }
                if self.is_name(2, "path")
                    && self.is_sign(3, '=')
                    && let Some(Token::Text(path)) = self.token(4)
                {
                    mounted = Some(path.clone());
                }
                self.at += 2;
            } else if self.is_name(0, "mod")
                && let Some(name) = self.name(1).map(str::to_owned)
            {
                self.at += 2;
                let mounted = mounted.take();
                if self.is_sign(0, ';') {
                    children.push(self.child_file(&name, mounted));
                } else if self.is_sign(0, '{') {
                    self.at += 1;
                    let folder = self.folders.last().expect("a folder").join(&name);
                    self.folders.push(folder);
                    self.module.push(name);
                    self.modules(tree, children);
                    self.module.pop();
                    self.folders.pop();
                }
            } else if self.is_name(0, "use") {
                let public = self.is_public();
                self.at += 1;
                self.use_tree(tree, public, &mut Vec::new());
            } else if self.begins_path() {
                let line = self.tokens[self.at].line;
                let mut segments = Vec::new();
                self.segments(&mut segments);
                self.used.extend(segments.first().cloned());
                self.note(tree, line, &segments);
            } else {
                if let Some(name) = self.used_name() {
                    self.used.insert(name);
                }
                match self.token(0) {
                    Some(Token::Sign('{')) => depth += 1,
                    Some(Token::Sign('}')) if depth == 0 => {
                        self.at += 1;
                        return;
                    }
                    Some(Token::Sign('}')) => depth -= 1,
                    _ => {}
                }
                self.at += 1;
            }
        }
    }

    fn child_file(&self, name: &str, mounted: Option<String>) -> (ModulePath, PathBuf, PathBuf) {
        let module = [self.module.as_slice(), &[name.to_owned()]].concat();
        let folder = self.folders.last().expect("a folder");
        if let Some(mounted) = mounted {
            // Relative to the file's own folder, or inside inline modules to the folder of those.
            let base = if self.folders.len() > 1 { folder } else { self.file.parent().unwrap_or(Path::new("")) };
            let file = normalized(&base.join(mounted));
            let below = file.parent().unwrap_or(Path::new("")).to_owned();
            return (module, file, below);
        }
        let below = folder.join(name);
        let flat = folder.join(format!("{name}.rs"));
        let file = if (self.read)(&flat).is_some() { flat } else { below.join("mod.rs") };
        (module, file, below)
    }

    /// Whether this attribute is `#[cfg(test)]`.
    fn is_test_only(&self) -> bool {
        self.is_name(2, "cfg") && self.is_sign(3, '(') && self.is_name(4, "test") && self.is_sign(5, ')')
    }

    /// Skips attributes and the item behind them, up to its `;` or its closing brace.
    fn skip_item(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.token(0).cloned() {
            self.at += 1;
            match token {
                Token::Sign('{' | '(' | '[') => depth += 1,
                Token::Sign('}') if depth == 1 => return,
                Token::Sign('}' | ')' | ']') => depth -= 1,
                Token::Sign(';') if depth == 0 => return,
                _ => {}
            }
        }
    }

    /// Whether `pub` or `pub(…)` stands before this token.
    fn is_public(&self) -> bool {
        let before = self.tokens.get(..self.at).unwrap_or_default().iter().rev().map(|located| &located.token);
        let mut before = before.skip_while(|token| {
            !matches!(token, Token::Sign(';' | '{' | '}' | ']')) && **token != Token::Name("pub".to_owned())
        });
        before.next() == Some(&Token::Name("pub".to_owned()))
    }

    /// Whether a path begins here that may lead to a module: with `crate`, `super`, `self` or a name, and `::` behind.
    fn begins_path(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|located| &located.token);
        !matches!(before, Some(Token::PathSeparator | Token::Sign('.')))
            && self.name(0).is_some()
            && self.token(1) == Some(&Token::PathSeparator)
    }

    /// The name at this token, if it stands without a path or a receiver in front and is no definition: a type or
    /// constant, or a function that is called.
    fn used_name(&self) -> Option<String> {
        let name = self.name(0)?;
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|located| &located.token);
        let is_member = matches!(before, Some(Token::PathSeparator | Token::Sign('.')));
        let is_defined = matches!(before, Some(Token::Name(word)) if DEFINITIONS.contains(&word.as_str()));
        let is_used = name.starts_with(char::is_uppercase) || self.is_sign(1, '(');
        (is_used && !is_member && !is_defined).then(|| name.to_owned())
    }

    fn segments(&mut self, segments: &mut Vec<String>) {
        while let Some(name) = self.name(0) {
            segments.push(name.to_owned());
            self.at += 1;
            if self.token(0) != Some(&Token::PathSeparator) {
                return;
            }
            self.at += 1;
        }
    }

    /// Reads one branch of a `use` behind the segments `prefix`, up to `;`, `,` or `}`.
    fn use_tree(&mut self, tree: &mut ModuleTree, public: bool, prefix: &mut Vec<String>) {
        let line = self.tokens[self.at].line;
        let length = prefix.len();
        self.segments(prefix);
        if self.is_sign(0, '{') {
            self.at += 1;
            while !self.is_sign(0, '}') {
                self.use_tree(tree, public, prefix);
                if self.is_sign(0, ',') {
                    self.at += 1;
                }
            }
            self.at += 1;
        } else {
            // `a::{self}` is `a`.
            let segments = match prefix.split_last() {
                Some((last, before)) if last == "self" && !before.is_empty() => before,
                _ => prefix.as_slice(),
            };
            let name = if self.is_name(0, "as") { self.name(1) } else { segments.last().map(String::as_str) };
            let name = name.filter(|_| !self.is_sign(0, '*')).map(str::to_owned);
            if let Some(name) = &name {
                tree.aliases.insert((self.module.clone(), name.clone()), segments.to_vec());
            }
            match name {
                Some(name) if public => {
                    let segments = segments.to_vec();
                    self.reexports.push((name, line, segments));
                }
                _ => self.note(tree, line, segments),
            }
        }
        prefix.truncate(length);
        while !matches!(self.token(0), None | Some(Token::Sign(';' | ',' | '}'))) {
            self.at += 1;
        }
    }

    fn note(&self, tree: &mut ModuleTree, line: usize, segments: &[String]) {
        let (from, importer) = (self.file.to_owned(), self.module.clone());
        tree.named.push(Named { from, line, importer, segments: segments.to_vec() });
    }
}

/// The path without `.` and `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
