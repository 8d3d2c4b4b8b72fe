//! A column that SQLite must not look up by an index.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// The column, behind SQLite's unary plus: it changes nothing but the plan.
///
/// SQLite knows no frequencies unless somebody analyses the tables, so of two indexes it takes either: to find the
/// failed logins of one user it may walk all failed logins of everybody. PostgreSQL keeps statistics and decides
/// better than we could; there this is the column itself.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Unindexed<E>(pub E);

impl<E: Expression> Expression for Unindexed<E> {
    type SqlType = E::SqlType;
}

impl<E, Table> SelectableExpression<Table> for Unindexed<E> where E: SelectableExpression<Table> {}

impl<E, Table> AppearsOnTable<Table> for Unindexed<E> where E: AppearsOnTable<Table> {}

impl<E, GroupBy> ValidGrouping<GroupBy> for Unindexed<E>
where
    E: ValidGrouping<GroupBy>,
{
    type IsAggregate = E::IsAggregate;
}

impl<E: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Unindexed<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("+");
        self.0.walk_ast(out.reborrow())
    }
}

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for Unindexed<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())
    }
}
