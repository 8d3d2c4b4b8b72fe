//! The value types of this contract as its document describes them, with the published titles.

use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::id::UserId as DomainUserId;
use trailkeeper_domain::time::MAX_UNIX_SECONDS;
use utoipa::openapi::schema::SchemaFormat;
use utoipa::openapi::{KnownFormat, ObjectBuilder};

use crate::documented::{DAY, DAY_OR_MONTH, formatted, integer, one_of, patterned, text, values};
use crate::timezone::ZoneMeaning;

values! {
    /// A user's id: any text that the identity provider chose.
    UserId = text(1, DomainUserId::MAX).title(Some("Uuid"));
    /// A tenant's id.
    TenantId = formatted(KnownFormat::Uuid).title(Some("Uuid"));
    /// A tenant's id in a list.
    ListedTenantId = formatted(KnownFormat::Uuid);
    /// An environment's number.
    EnvId = integer(KnownFormat::Int64, 0, u32::MAX.into())
        .format(Some(SchemaFormat::Custom("uint64".to_owned()))).title(Some("Id"));
    /// An instant in UNIX seconds.
    Seconds = seconds();
    /// A day in UNIX seconds.
    Day = seconds().title(Some("Date subject to renewal"));
    /// The period by which active users are counted.
    ActiveUsersType = one_of(["monthly", "daily"]);
    /// The period by which active users are counted, in a report.
    ReportedType = one_of(["daily", "monthly"]).title(Some("Type"));
    /// A day or a month.
    PeriodDate = period_date();
    /// A day or a month in a report.
    ReportedDate = period_date().title(Some("Date"));
    /// A local day. It is not named `Date`, because utoipa takes a type of that name for chrono's.
    LocalDay = patterned(DAY, 10, 10);
    /// A number of active users in a report.
    ReportedCount = count().title(Some("Active Users Count"));
    /// A count.
    Count = count();
    /// The kind of object that is counted.
    MetricsType = one_of(CreationKind::ALL.map(CreationKind::as_str));
}

/// The time zone of days and months.
pub struct ZoneOfDays;

impl ZoneMeaning for ZoneOfDays {
    const DESCRIPTION: &'static str = "The IANA time zone of days and months; default: UTC. The numbers are exact in every zone. Where its days are not those of UTC, the server counts from single events, which takes longer.";
    const IS_INLINE: bool = true;
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
