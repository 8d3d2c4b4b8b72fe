//! The parameter `timezone` of every operation whose days are local.

use std::marker::PhantomData;

use trailkeeper_analytics::Zone;
use trailkeeper_domain::Result;

use crate::documented::{patterned, values};
use crate::operation::{Arity, Parameters, QueryParams, param_values};
use crate::request::query::Query;

values! {
    /// A time zone.
    TimeZone = patterned(r"^[A-Z][A-Za-z0-9_+-]{1,31}(/[A-Za-z][A-Za-z0-9_+-]{1,31}){0,2}$", 2, 98)
        .examples(["Asia/Tokyo"]).description(Some("A name of the IANA time zone database."));
}

param_values! {
    Zone, "a name of the IANA time zone database", Zone::parse;
}

/// The meaning of the parameter in one group of operations.
pub trait ZoneMeaning {
    /// The description of the parameter in the document.
    const DESCRIPTION: &'static str;
    /// Whether the document has the schema in place: the published documents name no such schema.
    const IS_INLINE: bool;
}

/// The time zone of the days of a request. `M` describes it.
pub struct TimeZoneParam<M> {
    zone: Zone,
    meaning: PhantomData<M>,
}

impl<M> TimeZoneParam<M> {
    /// The time zone of the request; UTC by default.
    pub fn zone(&self) -> Zone {
        self.zone
    }
}

impl<M: ZoneMeaning> QueryParams for TimeZoneParam<M> {
    fn declare(out: &mut Parameters) {
        let example = Some(serde_json::json!("Asia/Tokyo"));
        out.add::<TimeZone>("timezone", M::DESCRIPTION, Arity::Optional, M::IS_INLINE, example);
    }

    fn read(query: &Query) -> Result<Self> {
        let zone = query.optional("timezone")?.map(|value| Zone::parse("timezone", value)).transpose()?;
        Ok(Self { zone: zone.unwrap_or(Zone::UTC), meaning: PhantomData })
    }
}
