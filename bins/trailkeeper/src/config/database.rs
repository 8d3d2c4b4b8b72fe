//! Settings of the database and its folder.

use std::fs::DirBuilder;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

use crate::failure::Failure;

/// Settings of the database and its folder.
#[derive(Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// Folder of the master key and, by default, of the SQLite database.
    #[arg(long, env = "TRAILKEEPER_DATA_DIR", default_value = "./data", value_name = "DIR", global = true)]
    pub data_dir: PathBuf,

    /// Database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`. Default: `trailkeeper.db` in the data folder.
    #[arg(long, env = "TRAILKEEPER_DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub database_url: Option<String>,

    /// Number of buckets of a new database on PostgreSQL, 1 to 256: parts with the events of some tenants each. A database
    /// keeps the number that it was made with. Default: 1.
    #[arg(long, env = "TRAILKEEPER_BUCKETS", value_name = "NUMBER", value_parser = buckets, global = true)]
    pub buckets: Option<Buckets>,

    /// Number of waiting events of one bucket that get a transaction of their own, on PostgreSQL with several buckets. Writers
    /// store buckets side by side then, and a batch becomes visible bucket by bucket. 1: each transaction stores events of one
    /// bucket only. Default: each stores events of all buckets.
    #[arg(long, env = "TRAILKEEPER_BUCKET_EVENTS", value_name = "EVENTS", value_parser = bucket_events, global = true)]
    pub bucket_events: Option<NonZeroUsize>,

    /// Let the group of the database's files and of the master key read them (mode 0640), for example for backups.
    /// Without it, the program closes these files to everyone but their owner.
    #[arg(long, env = "TRAILKEEPER_ALLOW_GROUP_READ", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new(), global = true)]
    pub allow_group_read: bool,
}

/// Reads the number of buckets.
fn buckets(text: &str) -> Result<Buckets, String> {
    let count = text.parse().map_err(|_| format!("not a number from 1 to {}", Buckets::MAX))?;
    Buckets::new(count).map_err(|error| error.to_string())
}

/// Reads the number of events of one bucket that get a transaction of their own.
fn bucket_events(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "not a number from 1 on".to_owned())
}

impl DatabaseArgs {
    /// The database in effect: the given one, otherwise a SQLite file in the data folder.
    pub fn url(&self) -> Result<DatabaseUrl, Failure> {
        let url = match &self.database_url {
            Some(given) => given.clone(),
            None => format!("sqlite:{}", self.data_dir.join("trailkeeper.db").display()),
        };
        Ok(DatabaseUrl::parse(&url)?)
    }

    /// The given options of a store, with the setting of the database's files.
    pub fn store_options(&self, options: &StoreOptions) -> StoreOptions {
        StoreOptions {
            allow_group_read: self.allow_group_read,
            buckets: self.buckets,
            bucket_events: self.bucket_events,
            ..options.clone()
        }
    }

    /// The file of the master key, unless the settings give the key itself.
    pub fn master_key(&self) -> PathBuf {
        self.data_dir.join("master.key")
    }

    /// Creates the data folder if it is missing, with no access for other users of the machine, or with the group's
    /// access if that is set.
    pub fn create_data_dir(&self) -> Result<(), Failure> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, if self.allow_group_read { 0o750 } else { 0o700 });
        builder.create(&self.data_dir).map_err(|source| Failure::Io {
            what: format!("data-dir: {} cannot be created", self.data_dir.display()),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        database: DatabaseArgs,
    }

    #[test]
    fn the_store_gets_the_buckets_and_what_is_worth_a_transaction_of_one() {
        let options = |args: &[&str]| {
            let command = Command::try_parse_from(["trailkeeper"].iter().chain(args)).ok()?;
            let options = command.database.store_options(&StoreOptions::default());
            Some((options.buckets.map(Buckets::count), options.bucket_events.map(NonZeroUsize::get)))
        };
        assert_eq!(options(&[]), Some((None, None)));
        assert_eq!(options(&["--buckets=8", "--bucket-events=1"]), Some((Some(8), Some(1))));
        for wrong in ["--buckets=0", "--buckets=257", "--bucket-events=0", "--bucket-events=-1", "--bucket-events=all"]
        {
            assert_eq!(options(&[wrong]), None, "{wrong}");
        }
    }
}
