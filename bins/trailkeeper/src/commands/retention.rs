//! `trailkeeper retention`: rules of retention, and the removal of old events.

use std::thread;

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_analytics::engine::retention::{preview, remove, waits_until};
use trailkeeper_auth::audit::{AuditEvent, RETENTION_RUN};
use trailkeeper_auth::{AuditContext, RetentionChanges};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::{RetentionRuleId, TenantId};
use trailkeeper_domain::retention::{RetentionRule, RuleDraft, RuleSubject};
use trailkeeper_domain::time::rfc3339;

use crate::config::{self, DatabaseArgs};
use crate::failure::Failure;
use crate::wiring::Ports;
use crate::{audit, output, progress, wiring};

/// Arguments of `retention`.
#[derive(Args)]
pub struct RetentionArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the rules.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the rule of a tenant and type, or change it. Servers reject older events from the next second on, and remove
    /// them within an hour.
    Set {
        /// Tenant of the events. Default: any tenant but the system tenant.
        #[arg(long, value_parser = config::tenant, value_name = "UUID")]
        tenant: Option<TenantId>,
        /// Type of the events. Default: any type.
        #[arg(long = "type", value_parser = kind, value_name = "TYPE")]
        kind: Option<EventKind>,
        /// Whole UTC days that events are kept, today not counted.
        #[arg(long, value_name = "NUMBER")]
        keep_days: u32,
        /// Days that sheets go on counting removed events. Default: until the events are removed.
        #[arg(long, value_name = "NUMBER")]
        keep_sheets_days: Option<u32>,
    },
    /// Remove a rule. What it has removed stays removed, and is not accepted again.
    Remove {
        /// Id of the rule, as `list` prints it.
        #[arg(value_parser = rule, value_name = "ID")]
        id: RetentionRuleId,
    },
    /// Count what the rules would remove now. It reads every event, and changes nothing.
    Preview {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove what the rules do not keep. Servers do this by themselves, and keep running meanwhile.
    Run,
}

fn kind(value: &str) -> Result<EventKind, String> {
    EventKind::parse("type", value).map_err(|error| config::detail(&error))
}

fn rule(value: &str) -> Result<RetentionRuleId, String> {
    RetentionRuleId::parse("id", value).map_err(|error| config::detail(&error))
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &RetentionArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    match &args.action {
        Action::List { json } => list(&ports, *json),
        Action::Set { tenant, kind, keep_days, keep_sheets_days } => {
            let subject = RuleSubject { tenant_id: *tenant, kind: kind.clone() };
            let keeps = RuleDraft { keep_days: *keep_days, keep_sheets_days: *keep_sheets_days };
            set(&ports, &subject, keeps)
        }
        Action::Remove { id } => {
            let context = wiring::context();
            changes(&ports, &context).remove_rule(*id).map_err(|error| ports.failed(error))?;
            output::line(format!("rule {id} is removed"))
        }
        Action::Preview { json } => show_preview(&ports, *json),
        Action::Run => remove_events(&ports),
    }
}

/// Changes in the name of the command line.
pub(super) fn changes<'a>(ports: &'a Ports, context: &'a AuditContext) -> RetentionChanges<'a> {
    let (store, clock, entropy) = (ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref());
    RetentionChanges { store, clock, entropy, context }
}

fn set(ports: &Ports, subject: &RuleSubject, keeps: RuleDraft) -> Result<(), Failure> {
    let context = wiring::context();
    let (rule, _) = changes(ports, &context).set_rule(subject, keeps).map_err(|error| ports.failed(error))?;
    output::line(format!("rule {} keeps events for {} days", rule.id, keeps.keep_days))
}

#[derive(Serialize)]
struct RuleView {
    id: String,
    tenant_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    keep_days: Option<u32>,
    keep_sheets_days: Option<u32>,
    changed_at: String,
    removed_before: Option<String>,
}

impl RuleView {
    fn new(rule: &RetentionRule) -> Self {
        Self {
            id: rule.id.to_string(),
            tenant_id: rule.subject.tenant_id.map(|tenant| tenant.to_string()),
            kind: rule.subject.kind.as_ref().map(|kind| kind.as_str().to_owned()),
            keep_days: rule.keeps.map(|keeps| keeps.keep_days),
            keep_sheets_days: rule.keeps.and_then(|keeps| keeps.keep_sheets_days),
            changed_at: rfc3339(rule.changed_at),
            removed_before: rule.removed_before.map(rfc3339),
        }
    }

    fn cells(self) -> [String; 5] {
        let any = |value: Option<String>| value.unwrap_or_else(|| "any".to_owned());
        let days = output::or_dash(self.keep_days);
        [self.id, any(self.tenant_id), any(self.kind), days, output::or_dash(self.keep_sheets_days)]
    }
}

fn list(ports: &Ports, json: bool) -> Result<(), Failure> {
    let rules = ports.store.reading(|tx| tx.retention_rules()).map_err(|error| ports.failed(error))?;
    let views: Vec<RuleView> = rules.iter().filter(|rule| rule.keeps.is_some()).map(RuleView::new).collect();
    if json {
        return output::json(&views);
    }
    let rows: Vec<_> = views.into_iter().map(RuleView::cells).collect();
    output::table(["ID", "TENANT", "TYPE", "KEEP DAYS", "KEEP SHEETS DAYS"], &rows)
}

#[derive(Serialize)]
struct PreviewView {
    would_remove: u64,
    held: u64,
    rules: Vec<CountView>,
    holds: Vec<CountView>,
}

#[derive(Serialize)]
struct CountView {
    id: String,
    events: u64,
}

fn show_preview(ports: &Ports, json: bool) -> Result<(), Failure> {
    let bar = progress::events("events in order of storage");
    let found = preview(ports.store.as_ref(), ports.clock.now(), &mut |progress| progress::show(&bar, progress));
    bar.finish_and_clear();
    let found = found.map_err(|error| ports.failed(error))?;
    let count = |id: String, events| CountView { id, events };
    if json {
        return output::json(&PreviewView {
            would_remove: found.would_remove,
            held: found.held,
            rules: found.rules.iter().map(|(rule, events)| count(rule.id.to_string(), *events)).collect(),
            holds: found.holds.iter().map(|(hold, events)| count(hold.id.to_string(), *events)).collect(),
        });
    }
    output::line(format!("would remove {}", found.would_remove))?;
    for (rule, events) in &found.rules {
        output::line(format!("  {events} by rule {}", rule.id))?;
    }
    for (hold, events) in &found.holds {
        output::line(format!("  {events} stay by hold {} of case {}", hold.id, hold.about.case))?;
    }
    Ok(())
}

fn remove_events(ports: &Ports) -> Result<(), Failure> {
    let waits = ports.store.reading(|tx| waits_until(tx, ports.clock.now())).map_err(|error| ports.failed(error))?;
    if let Some(from) = waits {
        let pause = (from - ports.clock.now()).to_std().unwrap_or_default();
        output::line(format!("waits {} s until all servers know the rules", pause.as_secs() + 1))?;
        thread::sleep(pause);
    }
    let bar = progress::events("events in order of storage");
    let removed = remove(
        ports.store.as_ref(),
        ports.clock.as_ref(),
        ports.entropy.as_ref(),
        wiring::LEASE_TIMEOUT,
        &mut |progress| {
            progress::show(&bar, progress);
        },
    );
    bar.finish_and_clear();
    let removed = removed.map_err(|error| ports.failed(error))?;
    let audited = AuditEvent::done(RETENTION_RUN).with("events", removed.events).with("months", removed.months);
    audit::record(ports, audited)?;
    output::line(format!(
        "removed {} events in {} steps; sheets of {} months were counted again",
        removed.events, removed.steps, removed.months
    ))
}
