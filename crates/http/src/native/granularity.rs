//! The parameters of the length of buckets.

use trailkeeper_analytics::{Granularity, WeekStart};

use crate::native::schemas;
use crate::operation::{QueryParams, param_values};

/// The length of a bucket.
#[derive(QueryParams)]
pub struct GranularityParam {
    /// The length of a bucket, in local time; default: `day`. The first and the last bucket are cut to the range. At most
    /// 10,000 buckets.
    #[param(schema = schemas::Granularity, example = "day")]
    granularity: Option<Granularity>,
    #[param(flatten)]
    week_start: WeekStartParam,
}

impl GranularityParam {
    /// The granularity of the request.
    pub fn granularity(&self) -> Granularity {
        self.week_start.applied_to(self.granularity.unwrap_or(Granularity::Day))
    }
}

/// The day on which weeks begin.
#[derive(QueryParams)]
pub struct WeekStartParam {
    /// The day on which weeks begin; default: `monday`. Other granularities ignore it.
    #[param(schema = schemas::WeekStart, example = "monday")]
    week_start: Option<WeekStart>,
}

impl WeekStartParam {
    /// The granularity with the weeks of the request.
    pub fn applied_to(&self, granularity: Granularity) -> Granularity {
        granularity.with_weeks_from(self.week_start.unwrap_or_default())
    }
}

param_values! {
    WeekStart, "monday, sunday or saturday", WeekStart::parse;
    Granularity, "hour, day, week or month", Granularity::parse;
}
