//! However many readiness checks arrive, the database is written every three seconds.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::{System, spawn, task::yield_now};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use chrono::TimeDelta;
use trailkeeper_http::{AppState, HttpSettings, LimitSettings, Services};
use trailkeeper_testkit::{Call, FaultyStore};

use crate::support::TestApp;

/// A server whose store counts the readiness checks.
fn watched(app: &TestApp, limits: LimitSettings) -> (Arc<FaultyStore>, Data<AppState>) {
    let store = FaultyStore::over(&app.state.services.store);
    let services = Services { store: store.clone(), ..app.state.services.clone() };
    (store, Data::new(AppState::new(services, HttpSettings { limits, ..HttpSettings::default() })))
}

/// The status of one readiness check.
async fn probed<B: MessageBody>(
    service: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
) -> u16 {
    let request = TestRequest::with_uri("/readyz").peer_addr("192.0.2.1:40000".parse().unwrap());
    call_service(service, request.to_request()).await.status().as_u16()
}

macro_rules! service_over {
    ($state:expr) => {
        init_service(
            App::new().app_data($state).wrap(from_fn(trailkeeper_http::traced)).configure(trailkeeper_http::configure),
        )
        .await
    };
}

#[test]
fn probers_get_no_429_by_default_and_the_database_is_written_every_three_seconds() {
    let app = TestApp::new();
    let (store, state) = watched(&app, LimitSettings::STANDARD);
    System::new().block_on(async {
        let service = service_over!(state);
        // Five probers behind one address, four times a second each, from the beginning of a minute to its end.
        for second in 1_usize..=60 {
            for _ in 0..5 * 4 {
                assert_eq!(probed(&service).await, 200);
            }
            assert_eq!(store.calls(Call::Ready), second.div_ceil(3));
            app.clock.advance(TimeDelta::seconds(1));
        }
    });
}

#[test]
fn each_answer_is_cached_for_three_seconds() {
    let app = TestApp::new();
    let (store, state) = watched(&app, LimitSettings::NONE);
    System::new().block_on(async {
        let service = service_over!(state);
        assert_eq!(probed(&service).await, 200);
        store.fail_all(Call::Ready);
        app.clock.advance(TimeDelta::milliseconds(2_999));
        assert_eq!(probed(&service).await, 200);
        app.clock.advance(TimeDelta::milliseconds(1));
        assert_eq!([probed(&service).await, probed(&service).await], [503, 503]);
        store.restore();
        assert_eq!((probed(&service).await, store.calls(Call::Ready)), (503, 2));
        // If the clock is set back, the answer is not cached longer.
        app.clock.advance(TimeDelta::hours(-1));
        assert_eq!((probed(&service).await, store.calls(Call::Ready)), (200, 3));
    });
}

#[test]
fn simultaneous_checks_wait_for_the_same_answer() {
    let app = TestApp::new();
    let (store, state) = watched(&app, LimitSettings::NONE);
    store.hold(Call::Ready, usize::MAX);
    System::new().block_on(async {
        let service = Rc::new(service_over!(state));
        let gone = spawn({
            let service = service.clone();
            async move { probed(&*service).await }
        });
        while store.calls(Call::Ready) == 0 {
            yield_now().await;
        }
        // A check that is cancelled does not cause a second query while the first is in progress.
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let arrived = Rc::new(Cell::new(0));
        let waiting: Vec<_> = (0..40)
            .map(|_| {
                let (service, arrived) = (service.clone(), arrived.clone());
                spawn(async move {
                    arrived.set(arrived.get() + 1);
                    probed(&*service).await
                })
            })
            .collect();
        while arrived.get() < 40 {
            yield_now().await;
        }
        store.restore();
        for answer in waiting {
            assert_eq!(answer.await.unwrap(), 200);
        }
        assert_eq!(store.calls(Call::Ready), 1);
    });
}
