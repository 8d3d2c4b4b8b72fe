//! A macro that makes one test per case and database.

/// Makes two tests of each case: one on SQLite, in a module `sqlite`, and one on PostgreSQL, in a module `postgres`.
///
/// The constructor is a function of a [`DatabaseKind`](crate::DatabaseKind), by a path that is valid in any module. A
/// case takes a reference to the constructor's result, mutable or not. Without a constructor, a case takes the kind.
///
/// ```
/// mod tests {
///     use trailkeeper_testkit::{DatabaseKind, TempDatabase};
///
///     fn a_database(kind: DatabaseKind) -> TempDatabase {
///         TempDatabase::new(kind)
///     }
///
///     trailkeeper_testkit::on_both!(super::a_database => its_url_names_a_database);
///
///     fn its_url_names_a_database(database: &TempDatabase) {
///         assert!(database.url().contains(':'));
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both {
    ($new:path => $($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case(&mut $new($crate::DatabaseKind::Sqlite)); })+
        }
        mod postgres {
            $(#[test] fn $case() { super::$case(&mut $new($crate::DatabaseKind::Postgres)); })+
        }
    };
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case($crate::DatabaseKind::Sqlite); })+
        }
        mod postgres {
            $(#[test] fn $case() { super::$case($crate::DatabaseKind::Postgres); })+
        }
    };
}
