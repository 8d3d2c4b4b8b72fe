//! The limit of parallel analytic questions.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use actix_web::App;
use actix_web::middleware::from_fn;
use actix_web::rt::{System, spawn, task::yield_now};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_http::{AppState, HttpSettings, Services};

use crate::support::TestApp;

/// A store that blocks the first four reads until the gate opens.
struct Gate {
    inner: Arc<dyn Store>,
    arrived: AtomicUsize,
    closed: Mutex<bool>,
    opened: Condvar,
    watching: AtomicBool,
}

const PERMITS: usize = 4;

impl Store for Gate {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        if self.watching.load(Ordering::SeqCst) && self.arrived.fetch_add(1, Ordering::SeqCst) < PERMITS {
            drop(self.opened.wait_while(self.closed.lock().unwrap(), |closed| *closed).unwrap());
        }
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.inner.write(work)
    }

    fn prepare(&self, now: Timestamp) -> Result<()> {
        self.inner.prepare(now)
    }

    fn ready(&self) -> Result<()> {
        self.inner.ready()
    }
}

#[test]
fn each_worker_allows_four_parallel_questions_that_block_nothing_else() {
    let app = TestApp::new();
    let gate = Arc::new(Gate {
        inner: app.state.services.store.clone(),
        arrived: AtomicUsize::new(0),
        closed: Mutex::new(true),
        opened: Condvar::new(),
        watching: AtomicBool::new(false),
    });
    let services = Services { store: gate.clone(), ..app.state.services.clone() };
    let state = Data::new(AppState::new(services, HttpSettings { workers: 1, ..HttpSettings::default() }));
    let token = app.admin().token.unwrap();
    let request = |path: &str| TestRequest::with_uri(path).insert_header(("Authorization", format!("Bearer {token}")));
    System::new().block_on(async {
        let app =
            App::new().app_data(state).wrap(from_fn(trailkeeper_http::traced)).configure(trailkeeper_http::configure);
        let service = Rc::new(init_service(app).await);
        // From now on the token is cached, so that its check is not a read.
        assert_eq!(call_service(&*service, request("/v1/tenants").to_request()).await.status(), 200);
        gate.watching.store(true, Ordering::SeqCst);
        let questions: Vec<_> = (0..2 * PERMITS)
            .map(|_| {
                let (service, request) =
                    (service.clone(), request("/v1/analytics/traffic?from=2026-07-01&to=2026-07-02"));
                spawn(async move { call_service(&*service, request.to_request()).await.status().as_u16() })
            })
            .collect();
        while gate.arrived.load(Ordering::SeqCst) < PERMITS {
            yield_now().await;
        }
        assert_eq!(call_service(&*service, request("/v1/tenants").to_request()).await.status(), 200);
        // The fifth read was that of the tenants: no further question began meanwhile.
        assert_eq!(gate.arrived.load(Ordering::SeqCst), PERMITS + 1);
        *gate.closed.lock().unwrap() = false;
        gate.opened.notify_all();
        for question in questions {
            assert_eq!(question.await.unwrap(), 200);
        }
    });
}

/// Every handler that answers an analytic question waits for a permit.
#[test]
fn every_analytic_handler_waits_for_a_permit() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let handlers: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .filter(|(_, text)| ["Caller<ReadAnalytics", "Caller<ReadUserActivity"].iter().any(|need| text.contains(need)))
        .collect();
    assert!(handlers.len() > 10, "the handlers were not found");
    for (path, text) in handlers {
        assert!(text.contains("run_analytic(") && !text.contains("blocking::run("), "{}", path.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
