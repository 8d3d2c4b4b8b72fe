//! The values of events in dimensions and columns.

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;

use crate::dimension::{Column, Dimension};
use crate::outcome;

/// The value of an event in a dimension.
#[inline]
pub fn value_of(event: &IndexedEvent, dimension: Dimension) -> Option<u32> {
    match dimension {
        Dimension::Env => Some(event.env.0),
        Dimension::Kind => Some(event.kind),
        Dimension::Outcome => Some(outcome::code(event.outcome).into()),
        Dimension::User => event.user,
        Dimension::Source => event.source,
        Dimension::Page => event.page,
        Dimension::OtherPage => event.other_page,
        Dimension::Session => event.session,
        Dimension::TargetType => event.target_type,
        Dimension::TargetId => event.target_id,
        Dimension::System => (event.tenant_id == TenantId::SYSTEM).then_some(1),
    }
}

/// The value of an event in a column.
#[inline]
pub fn value_in(event: &IndexedEvent, column: Column) -> Option<u32> {
    value_of(event, dimension_of(column))
}

/// The dimension with the values of a column.
pub fn dimension_of(column: Column) -> Dimension {
    match column {
        Column::Env => Dimension::Env,
        Column::Kind => Dimension::Kind,
        Column::Outcome => Dimension::Outcome,
        Column::User => Dimension::User,
        Column::Source => Dimension::Source,
        Column::Page => Dimension::Page,
    }
}

/// The column with the values of a dimension, if it has one.
pub fn column_of(dimension: Dimension) -> Option<Column> {
    match dimension {
        Dimension::Env => Some(Column::Env),
        Dimension::Kind => Some(Column::Kind),
        Dimension::Outcome => Some(Column::Outcome),
        Dimension::User => Some(Column::User),
        Dimension::Source => Some(Column::Source),
        Dimension::Page => Some(Column::Page),
        Dimension::OtherPage | Dimension::Session | Dimension::TargetType | Dimension::TargetId | Dimension::System => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_and_its_dimension_have_the_same_number() {
        for dimension in Dimension::ALL {
            let column = column_of(dimension);
            assert!(column.is_none_or(|column| dimension_of(column) == dimension && column as u8 == dimension as u8));
        }
        assert_eq!(Dimension::ALL.into_iter().filter_map(column_of).count(), 6);
    }
}
