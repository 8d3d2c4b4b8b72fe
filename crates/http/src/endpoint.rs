//! A path with its methods; every other method is answered in the contract's shape.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, Route, guard, web};

use crate::api_error::{self, ApiError, ErrorFormat};
use crate::audit;

/// A resource at `path` with these routes, and a 405 with `Allow` for every other method.
///
/// Whatever has a GET has a HEAD: the same answer, whose body the server leaves out. Monitors ask so. What a person
/// reads there is recorded.
pub fn endpoint<S: ErrorFormat>(path: &str, routes: Vec<(Method, Route)>) -> impl HttpServiceFactory + use<S> {
    let methods = routes.iter().map(|(method, _)| if *method == Method::GET { "GET, HEAD" } else { method.as_str() });
    let allow = methods.collect::<Vec<_>>().join(", ");
    let resource = routes.into_iter().fold(web::resource(path), |resource, (method, route)| {
        resource.route(if method == Method::GET {
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        })
    });
    let resource = resource.default_service(web::to(move |request: HttpRequest| {
        let response = api_error::method_not_allowed::<S>(request.method().as_str(), &allow);
        async move { response }
    }));
    resource.wrap(from_fn(audit::recorded::<S>))
}

/// Answers every path that the contract does not have. `document` tells where its paths are listed.
pub fn fallback<S: ErrorFormat>(document: &'static str) -> Route {
    web::to(move |request: HttpRequest| {
        let refused = ApiError::<S>::from(api_error::unknown_path(request.path(), document));
        async move { Err::<actix_web::HttpResponse, _>(refused) }
    })
}
