//! The routes of declared operations.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, Route, guard, web};

use super::declaration::Declaration;
use crate::api_error::{self, ApiError, ErrorFormat};
use crate::audit;

/// Adds the routes of these operations. Their contract writes its errors in the format `S`.
pub fn configure<S: ErrorFormat>(config: &mut ServiceConfig, declarations: &'static [Declaration]) {
    // In the order of the declarations: `/v1/accounts/me` must be registered before `/v1/accounts/{account_id}`.
    let mut paths: Vec<(String, Vec<(Method, Route)>)> = Vec::new();
    for declaration in declarations {
        let (path, route) = (declaration.path(), (declaration.method.clone(), (declaration.route)(declaration)));
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, routes)) => routes.push(route),
            None => paths.push((path, vec![route])),
        }
    }
    for (path, routes) in paths {
        config.service(resource::<S>(&path, routes));
    }
}

/// A resource at `path` with these routes. Every other method gets 405 with the header `Allow`.
///
/// Every path with GET also answers HEAD, because monitoring systems send it: the server leaves the body out. The
/// middleware [`audit::recorded`] wraps each path, so that a handler cannot forget its audit event.
pub fn resource<S: ErrorFormat>(path: &str, routes: Vec<(Method, Route)>) -> impl HttpServiceFactory + use<S> {
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

/// Answers requests for paths that the contract does not have. `document` is the place where its paths are listed.
pub fn fallback<S: ErrorFormat>(document: &'static str) -> Route {
    web::to(move |request: HttpRequest| {
        let refused = ApiError::<S>::from(api_error::unknown_path(request.path(), document));
        async move { Err::<HttpResponse, _>(refused) }
    })
}
