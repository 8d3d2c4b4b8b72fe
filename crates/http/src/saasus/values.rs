//! The values of this contract as its document describes them, with the published titles.

use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::id::UserId as DomainUserId;
use trailkeeper_domain::page::MAX_PAGE;
use trailkeeper_domain::time::MAX_UNIX_SECONDS;
use utoipa::openapi::schema::SchemaFormat;
use utoipa::openapi::{KnownFormat, ObjectBuilder};

use crate::documented::{DAY, DAY_OR_MONTH, formatted, integer, one_of, patterned, text, values};

values! {
    /// A user: any text that the identity provider chose.
    UserId = text(1, DomainUserId::MAX).title(Some("Uuid"));
    /// A tenant.
    TenantId = formatted(KnownFormat::Uuid).title(Some("Uuid"));
    /// A tenant in a list.
    ListedTenantId = formatted(KnownFormat::Uuid);
    /// An environment.
    EnvId = integer(KnownFormat::Int64, 0, u32::MAX.into())
        .format(Some(SchemaFormat::Custom("uint64".to_owned()))).title(Some("Id"));
    /// UNIX seconds.
    Seconds = seconds();
    /// UNIX seconds of a day.
    Day = seconds().title(Some("Date subject to renewal"));
    /// A page as it was sent.
    Referer = text(1, MAX_PAGE);
    /// By what active users are counted.
    ActiveUsersType = one_of(["monthly", "daily"]);
    /// The same in a report.
    ReportedType = one_of(["daily", "monthly"]).title(Some("Type"));
    /// A day or a month.
    PeriodDate = period_date();
    /// The same in a report.
    ReportedDate = period_date().title(Some("Date"));
    /// A day. (utoipa takes a type that is called `Date` for chrono's.)
    UtcDay = patterned(DAY, 10, 10);
    /// How many in a report.
    ReportedCount = count().title(Some("Active Users Count"));
    /// How many.
    Count = count();
    /// What is counted.
    MetricsType = one_of(CreationKind::ALL.map(CreationKind::as_str));
}

fn seconds() -> ObjectBuilder {
    integer(KnownFormat::Int64, 0, MAX_UNIX_SECONDS)
}

fn period_date() -> ObjectBuilder {
    patterned(DAY_OR_MONTH, 7, 10)
}

fn count() -> ObjectBuilder {
    integer(KnownFormat::Int64, 0, i64::MAX)
}
