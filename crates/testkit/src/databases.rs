//! Temporary databases: a SQLite file in a folder of its own, or a database in a PostgreSQL cluster that was started
//! for the tests. Dropping the value removes the database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process, thread};

use tempfile::TempDir;
use tokio_postgres::{Config, NoTls};
use trailkeeper_domain::bucket::Buckets;

/// The environment variable with the URL of the cluster: `postgres://…` of a superuser.
const VARIABLE: &str = "TRAILKEEPER_TEST_POSTGRES_URL";

/// The environment variable with the role of the tests' own statements, if those of the program are recorded.
const ROLE: &str = "TRAILKEEPER_TEST_POSTGRES_ROLE";

/// The environment variable with the URL of one database, for a server on which tests cannot make databases, as on a cluster.
/// Each test then has a schema of its own in it.
const DATABASE: &str = "TRAILKEEPER_TEST_DATABASE_URL";

/// The environment variable with the number of buckets of the databases on PostgreSQL; 1 without it.
const BUCKETS: &str = "TRAILKEEPER_TEST_BUCKETS";

/// The name of the SQLite data file.
const FILE: &str = "trailkeeper.db";

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A SQLite file.
    Sqlite,
    /// A database of its own in the PostgreSQL cluster of the tests.
    Postgres,
}

impl DatabaseKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// The buckets of a database of this kind that a test makes.
///
/// # Panics
/// If the environment says another number than 1 to 256.
pub fn buckets_of_tests(kind: DatabaseKind) -> Option<Buckets> {
    let count = env::var(BUCKETS).ok().filter(|_| kind == DatabaseKind::Postgres)?;
    Some(Buckets::new(count.parse().expect(BUCKETS)).expect(BUCKETS))
}

/// An empty database, without any migration.
#[derive(Debug)]
pub struct TempDatabase {
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Folder(TempDir),
    Cluster { admin_url: String, name: String },
    Schema { admin_url: String, name: String },
}

impl TempDatabase {
    /// An empty database of this kind.
    ///
    /// # Panics
    /// For PostgreSQL, if the environment names no cluster: tests on PostgreSQL are never skipped silently.
    pub fn new(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::sqlite(),
            DatabaseKind::Postgres => Self::postgres(),
        }
    }

    /// The path of a SQLite file in a new folder. The file is not created.
    ///
    /// ```
    /// use trailkeeper_testkit::TempDatabase;
    ///
    /// let database = TempDatabase::sqlite();
    /// let folder = database.path().parent().unwrap().to_owned();
    /// assert!(folder.exists() && !database.path().exists());
    /// drop(database);
    /// assert!(!folder.exists());
    /// ```
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("trailkeeper-test-").tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        Self { url: format!("sqlite:{}", path.display()), home: Home::Folder(folder) }
    }

    /// A new database in the cluster that the environment names.
    pub fn postgres() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let number = COUNTER.fetch_add(1, Ordering::SeqCst);
        let name = format!("trailkeeper_test_{}_{number}", process::id());
        if let Ok(admin_url) = env::var(DATABASE) {
            return Self::schema(admin_url, name);
        }
        let admin_url = env::var(VARIABLE).unwrap_or_else(|_| {
            panic!(
                "{VARIABLE} is not set: run `make test`, or `scripts/with-postgres cargo test …`, which start a \
                 PostgreSQL for the tests"
            )
        });
        // An earlier process with the same process id may have been killed and left its database.
        run_on_postgres(&admin_url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        run_on_postgres(&admin_url, &format!("CREATE DATABASE {name}"));
        let (server, parameters) = admin_url.split_once('?').unwrap_or((&admin_url, ""));
        let (server, _) = server.rsplit_once('/').expect("the cluster's URL names a database");
        let url = format!("{server}/{name}?{parameters}").trim_end_matches('?').to_owned();
        Self { url, home: Home::Cluster { admin_url, name } }
    }

    /// A new schema in a database. Its connections are known by the name of their application.
    fn schema(admin_url: String, name: String) -> Self {
        run_on_postgres(&admin_url, &format!("DROP SCHEMA IF EXISTS {name} CASCADE"));
        run_on_postgres(&admin_url, &format!("CREATE SCHEMA {name}"));
        let separator = if admin_url.contains('?') { '&' } else { '?' };
        let url = format!("{admin_url}{separator}application_name={name}&options=-csearch_path%3D{name}");
        Self { url, home: Home::Schema { admin_url, name } }
    }

    /// The kind of the database.
    pub fn kind(&self) -> DatabaseKind {
        match self.home {
            Home::Folder(_) => DatabaseKind::Sqlite,
            Home::Cluster { .. } | Home::Schema { .. } => DatabaseKind::Postgres,
        }
    }

    /// The URL for `--database-url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of the SQLite file.
    pub fn path(&self) -> PathBuf {
        let Home::Folder(folder) = &self.home else { panic!("a SQLite database") };
        folder.path().join(FILE)
    }

    /// Copies the content of a SQLite file to a new one by SQLite's online backup, and returns the path of the copy. The
    /// copy ends with the database.
    pub fn back_up(&self) -> PathBuf {
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let copy = self.path().with_extension(format!("backup-{}", COUNTER.fetch_add(1, Ordering::SeqCst)));
        copy_online(&self.path(), &copy);
        copy
    }

    /// Replaces the content of a SQLite file by that of a copy, also under open connections. The file stays the same
    /// one, as after `.restore` of SQLite's shell.
    pub fn restore(&self, copy: &Path) {
        copy_online(copy, &self.path());
    }

    /// Runs a statement without the code under test.
    pub fn execute(&self, sql: &str) {
        match &self.home {
            Home::Cluster { .. } | Home::Schema { .. } => drop(run_on_postgres(&self.url, sql)),
            Home::Folder(_) => {
                let script = "import sqlite3, sys; a = sqlite3.connect(sys.argv[1]); a.execute(sys.argv[2]); a.commit(); a.close()";
                run_python(&["-c", script, &self.path().display().to_string(), sql]);
            }
        }
    }

    /// Ends every connection to a PostgreSQL database, as a restart of the server would.
    pub fn end_connections(&self) {
        let (admin_url, column, name) = match &self.home {
            Home::Cluster { admin_url, name } => (admin_url, "datname", name),
            Home::Schema { admin_url, name } => (admin_url, "application_name", name),
            Home::Folder(_) => panic!("a PostgreSQL database"),
        };
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {column} = '{name}' AND pid <> pg_backend_pid()"
        );
        run_on_postgres(admin_url, &sql);
    }

    /// Forbids all connections to a PostgreSQL database, or allows them again.
    pub fn allow_connections(&self, allowed: bool) {
        let Home::Cluster { admin_url, name } = &self.home else { panic!("a PostgreSQL database of its own") };
        run_on_postgres(admin_url, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}"));
    }
}

impl Drop for TempDatabase {
    fn drop(&mut self) {
        let (admin_url, sql) = match &self.home {
            Home::Folder(_) => return,
            Home::Cluster { admin_url, name } => (admin_url, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")),
            Home::Schema { admin_url, name } => (admin_url, format!("DROP SCHEMA IF EXISTS {name} CASCADE")),
        };
        if !thread::panicking() {
            run_on_postgres(admin_url, &sql);
        }
    }
}

/// Copies by SQLite's online backup. Python has it, and no safe crate of this workspace.
fn copy_online(from: &Path, to: &Path) {
    let script = "import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b); b.close(); a.close()";
    run_python(&["-c", script, &from.display().to_string(), &to.display().to_string()]);
}

fn run_python(arguments: &[&str]) {
    let status = process::Command::new("python3").args(arguments).status();
    assert!(status.expect("python3 runs").success(), "failed: python3 {arguments:?}");
}

/// Runs statements on a PostgreSQL database directly, without the code under test, and returns the rows of the last
/// statement as text.
pub fn run_on_postgres(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let mut config: Config = url.parse().expect("a PostgreSQL URL");
    if let Ok(role) = env::var(ROLE) {
        let others = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{others} -c role={role}"));
    }
    let sql = sql.to_owned();
    // On a thread of its own, because callers may already be inside a runtime.
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for one connection");
        runtime.block_on(async {
            let (client, driver) = config
                .connect(NoTls)
                .await
                .unwrap_or_else(|error| panic!("cannot connect to the tests' PostgreSQL: {error:?}"));
            let driver = tokio::spawn(driver);
            let messages = client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            drop(client);
            driver.await.expect("the connection's task").expect("the connection");
            messages
                .iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
                    }
                    _ => None,
                })
                .collect()
        })
    })
    .join()
    .expect("the thread of a statement")
}
