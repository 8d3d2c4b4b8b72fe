//! Requests.

use std::net::SocketAddr;

use actix_http::Request;
use actix_web::App;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::rt::task::yield_now;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use futures_util::future::{join, join_all};
use serde_json::Value;
use tokio::time;

use super::download::Download;
use super::stream::{self, EventStream};
use super::{TestApp, TestResponse, declared};

/// The default address of requests.
const PEER: &str = "198.51.100.20:40000";

/// A client with or without a credential.
pub struct Caller<'a> {
    pub app: &'a TestApp,
    pub token: Option<String>,
}

/// One request.
pub struct Call<'a> {
    app: &'a TestApp,
    request: TestRequest,
}

impl<'a> Caller<'a> {
    /// Begins a request with the caller's credential.
    pub fn call(&self, method: &str, path: &str) -> Call<'a> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = TestRequest::with_uri(path).method(method).peer_addr(PEER.parse().unwrap());
        if let Some(token) = &self.token {
            request = request.insert_header(("Authorization", format!("Bearer {token}")));
        }
        Call { app: self.app, request }
    }

    pub fn get(&self, path: &str) -> TestResponse {
        self.call("GET", path).send()
    }

    pub fn delete(&self, path: &str) -> TestResponse {
        self.call("DELETE", path).send()
    }

    pub fn put(&self, path: &str, body: &Value) -> TestResponse {
        self.call("PUT", path).json(body).send()
    }

    pub fn post(&self, path: &str, body: &Value) -> TestResponse {
        self.call("POST", path).json(body).send()
    }

    pub fn patch(&self, path: &str, body: &Value) -> TestResponse {
        self.call("PATCH", path).json(body).send()
    }

    /// Records events and expects success.
    pub fn record(&self, events: &Value) -> Value {
        self.post("/v1/events", events).ok()
    }
}

impl<'a> Call<'a> {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.append_header((name, value.as_bytes()));
        self
    }

    pub fn peer(mut self, address: &str) -> Self {
        self.request = self.request.peer_addr(SocketAddr::new(address.parse().unwrap(), 40_000));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.set_payload(body.into());
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    pub fn send(self) -> TestResponse {
        self.app.runner.block_on(self.answered())
    }

    /// Sends the request while the time of the runtime runs as fast as it can: a waiting request waits no real time. A
    /// request that waits for another thread would run into its time limits.
    pub fn send_in_no_time(self) -> TestResponse {
        self.app.runner.block_on(async {
            time::pause();
            let answer = self.answered().await;
            time::resume();
            answer
        })
    }

    /// Begins to read a stream of events.
    pub fn stream(self) -> EventStream<'a> {
        let response = self.app.runner.block_on(called(self.app, self.request.to_request()));
        EventStream::new(self.app, response)
    }

    /// Begins to read a body.
    pub fn download(self) -> Download<'a> {
        let response = self.app.runner.block_on(called(self.app, self.request.to_request()));
        Download::new(self.app, response)
    }

    async fn answered(self) -> TestResponse {
        let request = self.request.to_request();
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = called(self.app, request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = match headers.get("content-type") {
            Some(kind) if kind == stream::CONTENT_TYPE => stream::until_silent(response.into_body()).await,
            _ => read_body(response).await,
        };
        declared::assert_declared(&method, &path, status, &body);
        TestResponse { status, headers, body }
    }
}

/// Sends `waiting`, and `then` when the first one waits for events. Gives both answers.
pub fn send_while_waiting<'a>(waiting: Call<'a>, then: Call<'a>) -> (TestResponse, TestResponse) {
    let app = waiting.app;
    let before = app.state.listener_count();
    let then = async {
        while app.state.listener_count() == before {
            yield_now().await;
        }
        then.answered().await
    };
    app.runner.block_on(join(waiting.answered(), then))
}

/// Sends `waiting`, and calls `then` when it waits for events. From then on, the time of the runtime runs as fast as it can.
pub fn wait_in_no_time(waiting: Call<'_>, then: impl FnOnce()) -> TestResponse {
    let app = waiting.app;
    let before = app.state.listener_count();
    let then = async {
        while app.state.listener_count() == before {
            yield_now().await;
        }
        then();
        time::pause();
    };
    app.runner.block_on(async {
        let (answer, ()) = join(waiting.answered(), then).await;
        time::resume();
        answer
    })
}

/// Sends requests to one app at the same instant; gives the answers in their order.
pub fn send_at_once<'a>(calls: impl Iterator<Item = Call<'a>>) -> Vec<TestResponse> {
    let calls: Vec<Call<'_>> = calls.collect();
    let Some(app) = calls.first().map(|call| call.app) else { return Vec::new() };
    app.runner.block_on(join_all(calls.into_iter().map(Call::answered)))
}

/// The response of a server to a request.
async fn called(app: &TestApp, request: Request) -> ServiceResponse {
    let service = init_service(
        App::new()
            .app_data(app.state.clone())
            .wrap(from_fn(trailkeeper_http::traced))
            .configure(trailkeeper_http::configure),
    )
    .await;
    call_service(&service, request).await.map_into_boxed_body()
}
