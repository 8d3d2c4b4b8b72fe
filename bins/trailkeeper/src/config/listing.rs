//! Every setting with its effective value, for `trailkeeper config` and the documentation.

use std::path::Path;

use clap::CommandFactory as _;
use serde::Serialize;

use crate::cli::Cli;
use crate::config::{DatabaseArgs, LogArgs, Settings};
use crate::failure::Failure;

/// One setting.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The flag.
    pub flag: String,
    /// The environment variable.
    pub env: String,
    /// The value in effect; secrets are not shown.
    pub value: String,
    /// What it does.
    pub meaning: String,
}

/// All settings, in the order of the documentation.
pub fn listing(database: &DatabaseArgs, logging: &LogArgs, settings: &Settings) -> Result<Vec<Setting>, Failure> {
    let mut cli = Cli::command();
    cli.build();
    let described = cli.find_subcommand("config");
    Ok(values(database, logging, settings)?
        .into_iter()
        .map(|(id, value)| {
            let arg = described.and_then(|command| command.get_arguments().find(|arg| arg.get_id() == id));
            let env = arg.and_then(clap::Arg::get_env).map(|env| env.to_string_lossy().into_owned());
            let meaning = arg.and_then(clap::Arg::get_help).map(ToString::to_string);
            Setting {
                flag: format!("--{}", id.replace('_', "-")),
                env: env.unwrap_or_default(),
                value,
                meaning: meaning.unwrap_or_default(),
            }
        })
        .collect())
}

fn values(
    database: &DatabaseArgs,
    logging: &LogArgs,
    settings: &Settings,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let Settings { server, pages, limits, access, admin } = settings;
    let admin_password = match admin.chosen_password() {
        Some(_) => "(set, hidden)",
        None => "(not set: generated)",
    };
    let master_key = match access.given_master_key() {
        Some(_) => "(set, hidden)".to_owned(),
        None => format!("(not set: {})", crate::master_key::path(database).display()),
    };
    let master_key_previous = match access.given_previous_master_key() {
        Some(_) => "(set, hidden)",
        None => "(not set)",
    };
    let connections = &server.connections;
    let file = |named: Option<&Path>| named.map_or_else(|| "(not set)".to_owned(), |file| file.display().to_string());
    let mut values = vec![
        ("data_dir", database.data_dir.display().to_string()),
        ("database_url", database.url()?.to_string()),
        ("listen", server.listen.to_string()),
        ("workers", server.effective_workers().to_string()),
        ("trusted_proxies", server.trusted_proxies.to_string()),
        ("max_connections", connections.max_connections.to_string()),
        ("max_connections_per_source", connections.max_connections_per_source.to_string()),
        ("keep_alive", connections.keep_alive.to_string()),
        ("head_timeout", connections.head_timeout.to_string()),
        ("body_timeout", connections.body_timeout.to_string()),
        ("write_timeout", connections.write_timeout.to_string()),
        ("tls_cert", file(server.tls.certificate())),
        ("tls_key", file(server.tls.key())),
        ("cors_origins", server.cors_origins.to_string()),
        ("ingest_queue", server.ingest_queue.to_string()),
        ("merge_every", server.merge_every.to_string()),
        ("fold_cache_mib", server.fold_cache_mib.to_string()),
        ("demo", server.demo.to_string()),
        ("keep_page_queries", pages.keep_page_queries.to_string()),
        ("new_pages_per_day", pages.new_pages_per_day.to_string()),
        ("public_hosts", access.public_hosts.to_string()),
        ("bcrypt_cost", access.bcrypt_cost.to_string()),
        ("login_delays", access.login_delays.to_string()),
        ("master_key", master_key),
        ("master_key_previous", master_key_previous.to_owned()),
        ("session_days", access.session_days.to_string()),
        ("rotate_token_keys_days", access.rotate_token_keys_days.to_string()),
        ("admin_email", admin.admin_email.clone()),
        ("admin_password", admin_password.to_owned()),
        ("log", logging.log.clone()),
        ("log_format", logging.log_format.as_str().to_owned()),
    ];
    let after = values.iter().position(|(id, _)| *id == "public_hosts").unwrap_or(values.len());
    values.splice(after..after, limits.values());
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser as _;

    use super::*;
    use crate::cli::Command;

    #[test]
    fn every_flag_of_serve_is_listed_with_its_variable_and_meaning() {
        let cli = Cli::parse_from(["trailkeeper", "serve"]);
        let Command::Serve(settings) = &cli.command else { panic!("serve") };
        let listed = listing(&cli.database, &cli.logging, settings).unwrap();

        let mut command = Cli::command();
        command.build();
        let serve = command.find_subcommand("serve").unwrap();
        let flags: BTreeSet<String> = serve
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .filter(|flag| !["help", "version"].contains(flag))
            .map(|flag| format!("--{flag}"))
            .collect();
        assert_eq!(listed.iter().map(|setting| setting.flag.clone()).collect::<BTreeSet<_>>(), flags);
        for setting in &listed {
            let name = setting.flag.trim_start_matches("--").replace('-', "_").to_uppercase();
            assert_eq!(setting.env, format!("TRAILKEEPER_{name}"));
            assert!(setting.meaning.len() > 10, "{}", setting.flag);
        }
    }
}
