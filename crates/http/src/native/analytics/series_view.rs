//! The envelope of every answer that is a series: a period, and the one before it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::{Compared, SeriesSpec};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::native::schemas;
use crate::operation::named_schema;

/// The counts of one period, as an answer shows them.
pub trait PeriodView: Serialize + ToSchema + Sized {
    /// The name of the answer's schema.
    const ANSWER: &'static str;
    /// The description of the answer's schema.
    const DESCRIPTION: &'static str;
    /// The description of the field `granularity`.
    const GRANULARITY: &'static str = "How long a bucket is.";
    /// The schema of the field `granularity`.
    type Granularity: ToSchema;

    /// An example of a period, and the granularity that it has.
    fn sample() -> (Self, &'static str);
}

/// A period, and the one before it.
#[derive(Serialize)]
pub struct SeriesView<P> {
    timezone: &'static str,
    granularity: &'static str,
    current: P,
    previous: Option<P>,
}

impl<P> SeriesView<P> {
    /// The answer to the question for `spec`.
    pub fn of<S: Into<P>>(spec: SeriesSpec, answer: Compared<S>) -> Self {
        Self {
            timezone: spec.span.zone.name(),
            granularity: spec.granularity.as_str(),
            current: answer.current.into(),
            previous: answer.previous.map(Into::into),
        }
    }
}

impl<P: PeriodView> SeriesView<P> {
    fn sample() -> Value {
        let (current, granularity) = P::sample();
        json!(Self { timezone: "Asia/Tokyo", granularity, current, previous: None })
    }
}

impl<P: PeriodView> PartialSchema for SeriesView<P> {
    #[expect(deprecated, reason = "the other schemas have `example` too, which utoipa writes for them")]
    fn schema() -> RefOr<Schema> {
        let described = |name: Cow<'static, str>, description: &str| {
            Ref::builder().ref_location_from_schema_name(name).description(Some(description)).build()
        };
        let previous = OneOfBuilder::new()
            .item(described(P::name(), "The period before it; null unless `compare` was sent."))
            .item(ObjectBuilder::new().schema_type(Type::Null));
        let object = ObjectBuilder::new()
            .property("timezone", described(schemas::TimeZone::name(), "The time zone."))
            .property("granularity", described(P::Granularity::name(), P::GRANULARITY))
            .property("current", described(P::name(), "The period that was asked for."))
            .property("previous", previous);
        let required = ["timezone", "granularity", "current", "previous"];
        required
            .into_iter()
            .fold(object, ObjectBuilder::required)
            .description(Some(P::DESCRIPTION))
            .example(Some(Self::sample()))
            .into()
    }
}

impl<P: PeriodView> ToSchema for SeriesView<P> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(P::ANSWER)
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        named_schema::add::<P>(schemas);
        named_schema::add::<P::Granularity>(schemas);
        named_schema::add::<schemas::TimeZone>(schemas);
    }
}
