//! A column whose index SQLite must not use.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// The column with SQLite's unary plus in front, which changes only the plan.
///
/// SQLite does not know how frequent values are unless someone runs `ANALYZE`, so it may take either of two indexes: to
/// find the failed logins of one user it may read the failed logins of all users. PostgreSQL keeps statistics and
/// chooses better than we could; there this is the plain column.
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
