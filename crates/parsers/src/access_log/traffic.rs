//! Requests that are no page loads of people: those of known bots, and those for the static files of a page.

use std::collections::HashMap;

use isbot::Bots;

use crate::access_log::{LogLine, Request};

/// User agents whose result is kept, and the longest of them, in bytes.
const MAX_AGENTS: usize = 4096;
const MAX_AGENT: usize = 512;

/// Endings of the names of static files.
const ASSETS: &[&str] = &[
    "avif",
    "bmp",
    "css",
    "cur",
    "eot",
    "gif",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "m4a",
    "map",
    "mjs",
    "mp3",
    "mp4",
    "ogg",
    "otf",
    "png",
    "svg",
    "ttf",
    "wasm",
    "wav",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
];

/// Files that programs fetch by themselves.
const FETCHED: &[&str] = &["/robots.txt", "/ads.txt", "/browserconfig.xml"];

/// Recognises bots and static files, as far as it is not turned off.
#[derive(Debug)]
pub struct Traffic {
    bots: Option<Bots>,
    known_agents: HashMap<String, bool>,
    finds_assets: bool,
}

/// What a request is if it is no page load of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// A known bot sent it.
    Bot,
    /// It asks for a static file.
    Asset,
}

impl Automatic {
    /// The word for it in the metadata of events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Asset => "asset",
        }
    }
}

impl Traffic {
    /// Recognises bots by the list of the crate `isbot`, and static files by their names.
    pub fn new(finds_bots: bool, finds_assets: bool) -> Self {
        Self { bots: finds_bots.then(Bots::default), known_agents: HashMap::new(), finds_assets }
    }

    /// What the request is; `None` for one of a person, as far as that can be known.
    pub fn automatic(&mut self, line: &LogLine<'_>) -> Option<Automatic> {
        if line.user_agent.as_deref().is_some_and(|agent| self.is_bot(agent)) {
            return Some(Automatic::Bot);
        }
        match &line.request {
            Request::Http { path, .. } if self.finds_assets && is_asset(path) => Some(Automatic::Asset),
            _ => None,
        }
    }

    fn is_bot(&mut self, agent: &str) -> bool {
        let Some(bots) = &self.bots else { return false };
        if let Some(known) = self.known_agents.get(agent) {
            return *known;
        }
        let is_bot = bots.is_bot(agent);
        if agent.len() <= MAX_AGENT {
            if self.known_agents.len() >= MAX_AGENTS {
                self.known_agents.clear();
            }
            self.known_agents.insert(agent.to_owned(), is_bot);
        }
        is_bot
    }
}

/// Whether a path, with its query, is that of a static file.
fn is_asset(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_known = |ending: &str| ASSETS.iter().any(|asset| asset.eq_ignore_ascii_case(ending));
    name.rsplit_once('.').is_some_and(|(_, ending)| is_known(ending)) || FETCHED.contains(&path)
}
