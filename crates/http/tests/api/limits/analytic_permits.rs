//! The limit of parallel analytic questions.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use actix_web::App;
use actix_web::middleware::from_fn;
use actix_web::rt::{System, spawn, task::yield_now};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_testkit::{Call, FaultyStore};

use crate::support::TestApp;

const PERMITS: usize = 4;

#[test]
fn each_worker_allows_four_parallel_questions_that_block_nothing_else() {
    let app = TestApp::new();
    let store = FaultyStore::over(&app.state.services.store);
    let services = Services { store: store.clone(), ..app.state.services.clone() };
    let state = Data::new(AppState::new(services, HttpSettings { workers: 1, ..HttpSettings::default() }));
    let token = app.admin().token.unwrap();
    let request = |path: &str| TestRequest::with_uri(path).insert_header(("Authorization", format!("Bearer {token}")));
    System::new().block_on(async {
        let app =
            App::new().app_data(state).wrap(from_fn(trailkeeper_http::traced)).configure(trailkeeper_http::configure);
        let service = Rc::new(init_service(app).await);
        // From now on the token is cached, so that its check is not a read.
        assert_eq!(call_service(&*service, request("/v1/tenants").to_request()).await.status(), 200);
        store.hold(Call::Read, PERMITS);
        let before = store.calls(Call::Read);
        let questions: Vec<_> = (0..2 * PERMITS)
            .map(|_| {
                let (service, request) =
                    (service.clone(), request("/v1/analytics/traffic?from=2026-07-01&to=2026-07-02"));
                spawn(async move { call_service(&*service, request.to_request()).await.status().as_u16() })
            })
            .collect();
        while store.calls(Call::Read) - before < PERMITS {
            yield_now().await;
        }
        assert_eq!(call_service(&*service, request("/v1/tenants").to_request()).await.status(), 200);
        // The fifth read was that of the tenants: no further question began meanwhile.
        assert_eq!(store.calls(Call::Read) - before, PERMITS + 1);
        store.restore();
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
        .filter(|(_, text)| {
            ["Caller<ReadAnalytics", "Caller<ReadUserActivity", "Caller<CountEvents"]
                .iter()
                .any(|need| text.contains(need))
        })
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
