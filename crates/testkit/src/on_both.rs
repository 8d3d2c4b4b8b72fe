//! A macro that makes one test per case and database.

/// Makes two tests of each case: one on SQLite, in a module `sqlite`, and one on PostgreSQL, in a module `postgres`.
///
/// The constructor is a function of a [`DatabaseKind`](crate::DatabaseKind), by a path that is valid in any module. A
/// case takes a reference to the constructor's result, mutable or not. Without a constructor, a case takes the kind.
///
/// ```ignore
/// on_both!(crate::World::new => a_case, another_case);
/// on_both!(a_case_of_a_kind);
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
