//! `trailkeeper hold`: legal holds.

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_domain::id::{LegalHoldId, TenantId, UserId};
use trailkeeper_domain::retention::{HoldDraft, LegalHold, MAX_HOLDS};
use trailkeeper_domain::time::rfc3339;

use crate::commands::retention::changes;
use crate::config::{self, DatabaseArgs};
use crate::failure::Failure;
use crate::wiring::Ports;
use crate::{output, wiring};

/// Arguments of `hold`.
#[derive(Args)]
pub struct HoldArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the holds.
    List {
        /// Only the holds of this case.
        #[arg(long, value_name = "TEXT")]
        case: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Place a hold on the events of a tenant, of a user, or of a user in a tenant: nothing removes them.
    Place {
        /// Case that needs the events.
        #[arg(long, value_name = "TEXT")]
        case: String,
        /// Reason, for those who list holds.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Tenant of the events. Default: any tenant.
        #[arg(long, value_parser = config::tenant, value_name = "UUID")]
        tenant: Option<TenantId>,
        /// User of the events. Default: any user.
        #[arg(long, value_parser = user, value_name = "ID")]
        user: Option<UserId>,
    },
    /// Lift a hold, or all holds of a case.
    Lift(LiftArgs),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct LiftArgs {
    /// Id of the hold, as `list` prints it.
    #[arg(value_parser = hold, value_name = "ID")]
    id: Option<LegalHoldId>,
    /// Lift all holds of this case.
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
}

fn user(value: &str) -> Result<UserId, String> {
    UserId::parse("user", value).map_err(|error| config::detail(&error))
}

fn hold(value: &str) -> Result<LegalHoldId, String> {
    LegalHoldId::parse("id", value).map_err(|error| config::detail(&error))
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &HoldArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    match &args.action {
        Action::List { case, json } => {
            let views: Vec<HoldView> = holds(&ports, case.as_deref())?.iter().map(HoldView::new).collect();
            if *json {
                return output::json(&views);
            }
            let rows: Vec<_> = views.into_iter().map(HoldView::cells).collect();
            output::table(["ID", "CASE", "TENANT", "USER", "SINCE", "REASON"], &rows)
        }
        Action::Place { case, reason, tenant, user } => {
            let about =
                HoldDraft { case: case.clone(), reason: reason.clone(), tenant_id: *tenant, user_id: user.clone() };
            place(&ports, &about)
        }
        Action::Lift(LiftArgs { id, case }) => {
            let ids = match (id, case) {
                (Some(id), _) => vec![*id],
                (None, case) => holds(&ports, case.as_deref())?.iter().map(|hold| hold.id).collect(),
            };
            if ids.is_empty() {
                let case = case.as_deref().unwrap_or_default();
                return Err(Failure::Refused(format!("no hold belongs to the case '{case}'; `hold list` shows all")));
            }
            ids.into_iter().try_for_each(|id| lift(&ports, id))
        }
    }
}

fn holds(ports: &Ports, case: Option<&str>) -> Result<Vec<LegalHold>, Failure> {
    let mut holds = ports.store.reading(|tx| tx.legal_holds(None, MAX_HOLDS)).map_err(|error| ports.failed(error))?;
    holds.retain(|hold| case.is_none_or(|case| case == hold.about.case));
    Ok(holds)
}

fn place(ports: &Ports, about: &HoldDraft) -> Result<(), Failure> {
    let context = wiring::context();
    let hold = changes(ports, &context).place_hold(about).map_err(|error| ports.failed(error))?;
    output::line(format!("hold {} is placed", hold.id))
}

fn lift(ports: &Ports, id: LegalHoldId) -> Result<(), Failure> {
    let context = wiring::context();
    changes(ports, &context).lift_hold(id).map_err(|error| ports.failed(error))?;
    output::line(format!("hold {id} is lifted"))
}

#[derive(Serialize)]
struct HoldView {
    id: String,
    case: String,
    tenant_id: Option<String>,
    user_id: Option<String>,
    created_at: String,
    reason: String,
}

impl HoldView {
    fn new(hold: &LegalHold) -> Self {
        Self {
            id: hold.id.to_string(),
            case: hold.about.case.clone(),
            tenant_id: hold.about.tenant_id.map(|tenant| tenant.to_string()),
            user_id: hold.about.user_id.as_ref().map(|user| user.as_str().to_owned()),
            created_at: rfc3339(hold.created_at),
            reason: hold.about.reason.clone(),
        }
    }

    fn cells(self) -> [String; 6] {
        let any = |value: Option<String>| value.unwrap_or_else(|| "any".to_owned());
        [self.id, self.case, any(self.tenant_id), any(self.user_id), self.created_at, self.reason]
    }
}
