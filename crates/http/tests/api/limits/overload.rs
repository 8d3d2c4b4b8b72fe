//! A server that has more to do than it can answers 503 `overloaded`, and a stopping one 503 `stopping`, in the error
//! format of each contract.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::{System, spawn, task::yield_now};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use serde_json::{Value, json};
use tokio::time;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::ingest::{EventSink as _, Ingest, IngestLimits};
use trailkeeper_http::{AppState, HttpSettings, Services};
use trailkeeper_testkit::{Call, FaultyStore, event};

use crate::support::{TestApp, TestResponse, person};

const SAASUS: &str = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
const CRIPSA: &str = "/v1/auditlog/users/events?email=jane%40example.com&start_date=2026-07-01&end_date=2026-07-31";
const OCTOPAI: &str = "/api/UserAccount/UserEvents";

const FULL: &str =
    "the ingest queue is full; nothing of this request was stored; send it again after Retry-After seconds";
const BUSY: &str = "the database is busy with other requests; nothing of this request was stored; \
    send it again after Retry-After seconds";
const STOPPING: &str =
    "the server is stopping; nothing of this request was stored; send it again after Retry-After seconds";
const ANALYTICS: &str = "the server is busy with other analytic questions and did not start this one within \
    10 seconds; send it again after Retry-After seconds";

/// Puts a faulty store under everything but logins and credentials, with this ingest queue and one worker.
fn over_faulty_store(app: &mut TestApp, limits: IngestLimits) -> Arc<FaultyStore> {
    let store = FaultyStore::over(&app.state.services.store);
    let ingest = Arc::new(Ingest::start(store.clone(), limits).unwrap());
    let services = Services { store: store.clone(), ingest, ..app.state.services.clone() };
    app.state = Data::new(AppState::new(services, HttpSettings { workers: 1, ..HttpSettings::default() }));
    store
}

#[track_caller]
fn is_refused_for_now(answer: &TestResponse, body: &Value) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.json(), *body);
}

#[test]
fn a_full_ingest_queue_rejects_events_and_stores_nothing_of_them() {
    let mut app = TestApp::new();
    let token = app.admin().token.unwrap();
    let store = over_faulty_store(&mut app, IngestLimits { queue_events: 1, ..IngestLimits::default() });
    // One event is on its way to the disk, and one fills the queue.
    store.hold(Call::Write, 1);
    let ingest = app.state.services.ingest.clone();
    let first = ingest.submit(vec![event(1)]).unwrap();
    store.wait_for_calls(Call::Write, 1);
    let second = ingest.submit(vec![event(2)]).unwrap();
    let answer = app.bearer(&token).post("/v1/events", &json!({"type": "page_load"}));
    store.restore();
    assert_eq!(answer.problem(503, "overloaded", None), FULL);
    assert_eq!(answer.header("retry-after"), Some("2"));

    assert_eq!((first.wait().unwrap(), second.wait().unwrap()), (vec![true], vec![true]));
    let events = app.bearer(&token).get("/v1/events?type=page_load").ok();
    assert_eq!(events["events"], json!([]), "{events}");
}

#[test]
fn a_busy_database_answers_in_the_error_format_of_each_contract() {
    let mut app = TestApp::new();
    let token = app.admin().token.unwrap();
    let store = over_faulty_store(&mut app, IngestLimits::default());
    let busy = "the database is busy with other requests; nothing of this request was stored";
    store.fail_all_with(Call::Read, Error::overloaded(busy, "all 4 connections were lent for 5000 ms"));
    let admin = app.bearer(&token);

    let native = admin.get("/v1/events");
    assert_eq!(native.problem(503, "overloaded", None), BUSY);
    assert_eq!(native.header("retry-after"), Some("2"));
    is_refused_for_now(&admin.get(SAASUS), &json!({"type": "overloaded", "message": BUSY}));
    is_refused_for_now(&admin.get(CRIPSA), &json!({"type": "overloaded", "message": BUSY}));
    is_refused_for_now(&admin.post(OCTOPAI, &json!({})), &json!({"error": BUSY}));
}

/// A stopping server takes no more events, and so no audit events of reads by people.
#[test]
fn a_stopping_server_says_so_in_the_error_format_of_each_contract() {
    const HISTORIES: &str = "/v1/analysis/users/u1/behavior-histories";
    let app = TestApp::new();
    let (_, jane) = person(&app, Role::Admin, None);
    let admin = app.admin();
    app.state.services.ingest.drain();

    let native = admin.post("/v1/events", &json!({"type": "page_load"}));
    assert_eq!(native.problem(503, "stopping", None), STOPPING);
    assert_eq!(native.header("retry-after"), Some("2"));
    assert_eq!(jane.get("/v1/events").problem(503, "stopping", None), STOPPING);
    is_refused_for_now(&jane.get(HISTORIES), &json!({"type": "stopping", "message": STOPPING}));
    is_refused_for_now(&jane.get(CRIPSA), &json!({"type": "stopping", "message": STOPPING}));
    is_refused_for_now(&jane.post(OCTOPAI, &json!({})), &json!({"error": STOPPING}));
}

/// Four questions run, and none of them ends within the time that the others wait for a permit.
#[test]
fn an_analytic_question_that_gets_no_permit_says_what_is_busy() {
    let mut app = TestApp::new();
    let token = app.admin().token.unwrap();
    let store = over_faulty_store(&mut app, IngestLimits::default());
    let state = app.state.clone();
    System::new().block_on(async {
        let app =
            App::new().app_data(state).wrap(from_fn(trailkeeper_http::traced)).configure(trailkeeper_http::configure);
        let service = Rc::new(init_service(app).await);
        let ask = |path: &str| {
            let request = TestRequest::with_uri(path).insert_header(("Authorization", format!("Bearer {token}")));
            spawn(answered(service.clone(), request))
        };
        store.hold(Call::Read, 4);
        let running: Vec<_> = (0..4).map(|_| ask(SAASUS)).collect();
        while store.calls(Call::Read) < 4 {
            yield_now().await;
        }
        time::pause();
        let native = ask("/v1/analytics/traffic?from=2026-07-01&to=2026-07-02");
        let saasus = ask(SAASUS);
        // Each of the two is authenticated first, and begins to wait some time later.
        while !native.is_finished() || !saasus.is_finished() {
            time::advance(Duration::from_secs(10)).await;
        }
        store.restore();
        let native = native.await.unwrap();
        assert_eq!(native.problem(503, "overloaded", None), ANALYTICS);
        assert_eq!(native.header("retry-after"), Some("2"));
        is_refused_for_now(&saasus.await.unwrap(), &json!({"type": "overloaded", "message": ANALYTICS}));
        for question in running {
            assert_eq!(question.await.unwrap().status, 200);
        }
    });
}

async fn answered<S, B>(service: Rc<S>, request: TestRequest) -> TestResponse
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let response = call_service(&*service, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    TestResponse { status, headers, body: read_body(response).await }
}
