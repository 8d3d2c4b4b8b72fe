//! A diesel connection over tokio-postgres. It does what this crate needs of diesel-async, and keeps the SQLSTATE.
//!
//! The socket of a connection is driven by the runtime of this crate. Every call blocks its thread until the answer
//! arrives, so it must come from a plain thread or a blocking task, never from an async task.

use std::collections::HashMap;
use std::mem;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, DynInstrumentation, Instrumentation, InstrumentationEvent,
    LoadConnection, SimpleConnection, StrQueryHelper, TransactionManager,
};
use diesel::expression::QueryMetadata;
use diesel::internal::derives::multiconnection::ConnectionSealed;
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::pg::{FailedToLookupTypeError, Pg, PgMetadataCacheKey, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{Query, QueryBuilder, QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, Error, QueryResult};
use futures_util::SinkExt as _;
use tokio::runtime::Handle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use trailkeeper_domain::deadline;
use trailkeeper_domain::error::Chain;

use super::failure;
use super::row::{Bind, PgRow};

/// The largest number of prepared statements of a connection. Only a hostile caller combines filters to more texts. Then
/// all statements are dropped, and prepared again when needed.
const MAX_STATEMENTS: usize = 256;

/// The longest wait for the answer to the first statement of a transaction.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(3);

/// How much longer than the statement timeout of the server the client waits for its answer.
const NETWORK_GRACE: Duration = Duration::from_secs(5);

/// A connection to PostgreSQL.
pub struct PgConnection {
    client: Client,
    runtime: Handle,
    /// For the connection that cancels a statement.
    tls: MakeRustlsConnect,
    /// After this time without an answer the connection counts as lost.
    timeout: Duration,
    statements: HashMap<String, Statement>,
    transaction: AnsiTransactionManager,
    instrumentation: DynInstrumentation,
    lost: bool,
    moved: bool,
    recorded: Option<Vec<Recorded>>,
}

/// A query that ran. Its plan can be requested later.
struct Recorded {
    sql: String,
    types: Vec<Type>,
    binds: Vec<Bind>,
}

impl PgConnection {
    /// Uses a client whose socket is driven by `runtime`.
    pub fn new(client: Client, runtime: Handle, tls: MakeRustlsConnect, statement_timeout: Duration) -> Self {
        Self {
            client,
            runtime,
            tls,
            timeout: statement_timeout.saturating_add(NETWORK_GRACE),
            statements: HashMap::new(),
            transaction: AnsiTransactionManager::default(),
            instrumentation: DynInstrumentation::default_instrumentation(),
            lost: false,
            moved: false,
            recorded: None,
        }
    }

    /// Whether the server or the network ended the connection. It sends no query.
    pub fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Whether the connection can be used again: it is not lost, and not inside a broken transaction.
    pub fn is_sound(&mut self) -> bool {
        !self.is_lost() && !AnsiTransactionManager::is_broken_transaction_manager(self)
    }

    /// Whether [`Self::note_moved`] was called.
    pub fn is_moved(&self) -> bool {
        self.moved
    }

    /// Remembers that the database has no events of an older version to move. It never gets any.
    pub fn note_moved(&mut self) {
        self.moved = true;
    }

    /// Waits for every answer without a time limit.
    pub fn disable_timeout(&mut self) {
        self.timeout = Duration::MAX;
    }

    /// Records every query from now on, for [`Self::plans`].
    pub fn record(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// The texts and plans of the queries since [`Self::record`].
    pub fn plans(&mut self) -> QueryResult<Vec<(String, String)>> {
        let recorded = self.recorded.take().unwrap_or_default();
        recorded
            .into_iter()
            .map(|query| {
                let sql = format!("EXPLAIN {}", query.sql);
                let rows = self.blocking(async |client| {
                    let statement = client.prepare_typed(&sql, &query.types).await?;
                    client.query(&statement, &as_params(&query.binds)).await
                })?;
                let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                Ok((query.sql, lines.join("\n")))
            })
            .collect()
    }

    /// Runs one exchange with the server, and waits for its answer, but not beyond the deadline of the thread's work.
    ///
    /// After a wait without an answer, the connection is not used again: the answer may still come. A connection that is
    /// lost is sent nothing, so that a rollback on it does not wait once more.
    fn blocking<T>(
        &mut self,
        exchange: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> QueryResult<T> {
        if self.is_lost() {
            return Err(failure::lost());
        }
        let limit = deadline::remaining().map_or(self.timeout, |remaining| remaining.min(self.timeout));
        if limit.is_zero() {
            // Nothing is sent, but the transaction cannot be ended in time either.
            self.lost = true;
            return Err(failure::no_time_left());
        }
        let client = &self.client;
        // The timer belongs to the runtime, so it must be created inside it.
        let outcome = self.runtime.block_on(async { tokio::time::timeout(limit, exchange(client)).await });
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.lost |= failure::is_fatal(&error);
                Err(failure::of(&error))
            }
            Err(_elapsed) => {
                self.lost = true;
                self.cancel();
                Err(failure::no_answer(limit))
            }
        }
    }

    /// Asks the server to end the statement that nobody waits for any more. The request takes a connection of its own, and
    /// need not succeed: the statement timeout of the server ends the statement too, only later.
    fn cancel(&self) {
        let (token, tls) = (self.client.cancel_token(), self.tls.clone());
        self.runtime.spawn(async move {
            if let Ok(Err(error)) = tokio::time::timeout(NETWORK_GRACE, token.cancel_query(tls)).await {
                tracing::debug!(error = %Chain(&error), "a statement was not cancelled");
            }
        });
    }

    /// Opens a transaction by the statement `begin`, which a server that works answers at once. A connection whose other
    /// end is gone without a sign is found out so, and there is time left to open another one.
    pub fn begin(&mut self, begin: &str) -> QueryResult<()> {
        let shorter = self.timeout.min(BEGIN_TIMEOUT);
        let timeout = mem::replace(&mut self.timeout, shorter);
        let outcome = AnsiTransactionManager::begin_transaction_sql(self, begin);
        self.timeout = timeout;
        outcome
    }

    /// The text, the prepared statement and the values of a query.
    fn prepared<T>(&mut self, source: &T) -> QueryResult<(String, Statement, Vec<Bind>)>
    where
        T: QueryFragment<Pg>,
    {
        let mut builder = PgQueryBuilder::default();
        source.to_sql(&mut builder, &Pg)?;
        let sql = builder.finish();
        let mut collector = RawBytesBindCollector::<Pg>::new();
        source.collect_binds(&mut collector, &mut NoCustomTypes, &Pg)?;
        let types = collector.metadata.iter().map(type_of).collect::<QueryResult<Vec<Type>>>()?;
        let binds: Vec<Bind> = collector.binds.into_iter().map(Bind).collect();
        if let Some(recorded) = &mut self.recorded {
            recorded.push(Recorded { sql: sql.clone(), types: types.clone(), binds: binds.clone() });
        }
        let statement = self.statement(&sql, &types)?;
        Ok((sql, statement, binds))
    }

    /// The prepared statement of a text.
    fn statement(&mut self, sql: &str, types: &[Type]) -> QueryResult<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.blocking(async |client| client.prepare_typed(sql, types).await)?;
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends the data of a statement `COPY … FROM STDIN`.
    pub fn copy_in(&mut self, sql: &str, data: Bytes) -> QueryResult<()> {
        let statement = self.statement(sql, &[])?;
        self.observed(sql, |this| {
            this.blocking(async |client| {
                let mut sink = pin!(client.copy_in(&statement).await?);
                sink.send(data).await?;
                sink.finish().await.map(drop)
            })
        })
    }

    fn observed<T>(&mut self, sql: &str, run: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(&StrQueryHelper::new(sql)));
        let result = run(self);
        self.instrumentation
            .on_connection_event(InstrumentationEvent::finish_query(&StrQueryHelper::new(sql), result.as_ref().err()));
        result
    }
}

fn as_params(binds: &[Bind]) -> Vec<&(dyn ToSql + Sync)> {
    binds.iter().map(|bind| bind as &(dyn ToSql + Sync)).collect()
}

fn type_of(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata.oid().map_err(|error| Error::SerializationError(Box::new(error)))?;
    Type::from_oid(oid).ok_or_else(|| Error::SerializationError(format!("no built-in type has the oid {oid}").into()))
}

/// Fails every lookup of a type by its name. All column types of this crate are built into PostgreSQL, so diesel looks
/// none up.
struct NoCustomTypes;

impl PgMetadataLookup for NoCustomTypes {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::from_result(Err(FailedToLookupTypeError::new(PgMetadataCacheKey::new(
            schema.map(|schema| schema.to_owned().into()),
            type_name.to_owned().into(),
        ))))
    }
}

impl SimpleConnection for PgConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.observed(query, |this| this.blocking(async |client| client.batch_execute(query).await))
    }
}

impl ConnectionSealed for PgConnection {}

impl Connection for PgConnection {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    /// Always fails: `postgres::connector` opens connections, because they need its runtime.
    fn establish(_database_url: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection("the connector opens connections to PostgreSQL".to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let (sql, statement, binds) = self.prepared(source)?;
        let count = self.observed(&sql, |this| {
            this.blocking(async |client| client.execute(&statement, &as_params(&binds)).await)
        })?;
        usize::try_from(count).map_err(|error| Error::DeserializationError(Box::new(error)))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        // The cache is bounded already, so a smaller size only empties it.
        if matches!(size, CacheSize::Disabled) {
            self.statements.clear();
        }
    }
}

impl LoadConnection for PgConnection {
    type Cursor<'conn, 'query> = std::vec::IntoIter<QueryResult<PgRow>>;
    type Row<'conn, 'query> = PgRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let (sql, statement, binds) = self.prepared(&source)?;
        let rows = self
            .observed(&sql, |this| this.blocking(async |client| client.query(&statement, &as_params(&binds)).await))?;
        Ok(PgRow::of_all(&statement, rows)?.into_iter().map(Ok).collect::<Vec<_>>().into_iter())
    }
}

impl MigrationConnection for PgConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(CREATE_MIGRATIONS_TABLE).map(|()| 0)
    }
}
