//! Settings of page statistics.

use clap::Args;
use clap::builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser as _};
use trailkeeper_domain::page::{PageHash, PageQueries, TrailingSlash};
use trailkeeper_domain::usecase::{PageDifference, PageSetting, PageSettings};
use trailkeeper_storage::StoreOptions;

/// Settings of page statistics.
#[derive(Args)]
#[command(next_help_heading = "Page statistics")]
pub struct PageArgs {
    #[command(flatten)]
    pub rule: PageRuleArgs,

    /// New pages that a tenant may add per UTC day. Statistics count further ones as `(other)`.
    #[arg(long, env = "TRAILKEEPER_NEW_PAGES_PER_DAY", default_value_t = StoreOptions::default().new_pages_per_day, value_name = "NUMBER")]
    pub new_pages_per_day: u32,
}

impl PageArgs {
    /// Options of a store that records events with pages.
    pub fn store_options(&self) -> StoreOptions {
        StoreOptions { new_pages_per_day: self.new_pages_per_day, ..StoreOptions::default() }
    }
}

/// Settings that decide which URLs are one page. The database stores them with its first event, and `rebuild` changes
/// them.
#[derive(Args)]
#[command(next_help_heading = "Page statistics")]
pub struct PageRuleArgs {
    /// Count pages that differ in their query (`/users?page=2`) separately. Default: as the database does; false for a
    /// new one. `rebuild` changes it.
    #[arg(long, env = "TRAILKEEPER_KEEP_PAGE_QUERIES", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub keep_page_queries: Option<bool>,

    /// `keep`: `/users/` and `/users` are two pages; `drop`: they are one. Default: as the database does; keep for a new
    /// one. `rebuild` changes it.
    #[arg(long, env = "TRAILKEEPER_PAGE_TRAILING_SLASH", value_name = "KEEP|DROP", value_parser = PossibleValuesParser::new(["keep", "drop"]).try_map(|name| TrailingSlash::parse("page-trailing-slash", &name)))]
    pub page_trailing_slash: Option<TrailingSlash>,

    /// `drop`: a fragment is never part of a page; `keep-routes`: `#/users` and `#!/users` are. Default: as the database
    /// does; drop for a new one. `rebuild` changes it.
    #[arg(long, env = "TRAILKEEPER_PAGE_HASH", value_name = "DROP|KEEP-ROUTES", value_parser = PossibleValuesParser::new(["drop", "keep-routes"]).try_map(|name| PageHash::parse("page-hash", &name)))]
    pub page_hash: Option<PageHash>,
}

impl PageRuleArgs {
    /// These settings.
    pub fn settings(&self) -> PageSettings {
        let queries = |keep| if keep { PageQueries::Kept } else { PageQueries::Dropped };
        PageSettings {
            queries: self.keep_page_queries.map(queries),
            trailing_slash: self.page_trailing_slash,
            hash: self.page_hash,
        }
    }
}

/// The flag of a setting, with the value of this name.
pub fn flag(setting: PageSetting, value: &str) -> String {
    match setting {
        PageSetting::Queries => format!("--keep-page-queries={}", value == PageQueries::Kept.as_str()),
        PageSetting::TrailingSlash => format!("--page-trailing-slash={value}"),
        PageSetting::Hash => format!("--page-hash={value}"),
    }
}

/// Why a program with other settings than its database does not start, and the ways out.
pub fn refusal(differences: &[PageDifference]) -> String {
    let flags = |of: fn(&PageDifference) -> &'static str| {
        differences.iter().map(|difference| flag(difference.setting, of(difference))).collect::<Vec<_>>().join(" ")
    };
    let (wanted, stored) = (flags(|one| one.wanted), flags(|one| one.stored));
    format!(
        "{wanted}: the pages of this database were counted with {stored}, and sums of both would be wrong; leave the setting out to go on as before, or run `trailkeeper rebuild {wanted}` first: it gives the pages of all events new keys and rebuilds all sheets (it reads every event twice; servers keep running, and page statistics answer 503 until it is done)"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use trailkeeper_domain::page::PageRule;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        pages: PageArgs,
    }

    fn settings(args: &[&str]) -> PageSettings {
        Command::parse_from(args).pages.rule.settings()
    }

    #[test]
    fn settings_that_are_not_given_follow_the_database() {
        let stored = PageRule {
            queries: PageQueries::Kept,
            trailing_slash: TrailingSlash::Dropped,
            hash: PageHash::RoutesKept,
            ..PageRule::default()
        };
        assert_eq!(settings(&["trailkeeper"]).rule(&stored), stored);
        assert_eq!(settings(&["trailkeeper", "--keep-page-queries"]).queries, Some(PageQueries::Kept));
        let other = ["trailkeeper", "--keep-page-queries=false", "--page-trailing-slash", "keep", "--page-hash=drop"];
        assert_eq!(settings(&other).rule(&stored), PageRule::default());
        assert!(Command::try_parse_from(["trailkeeper", "--page-hash", "keep"]).is_err());
    }

    #[test]
    fn a_refusal_names_both_values_and_the_command_that_changes_them() {
        let differences = settings(&["trailkeeper", "--keep-page-queries", "--page-trailing-slash=drop"])
            .differences(&PageRule::default());
        let text = refusal(&differences);
        assert!(text.starts_with("--keep-page-queries=true --page-trailing-slash=drop: "), "{text}");
        assert!(text.contains("with --keep-page-queries=false --page-trailing-slash=keep,"), "{text}");
        assert!(text.contains("`trailkeeper rebuild --keep-page-queries=true --page-trailing-slash=drop`"), "{text}");
    }
}
