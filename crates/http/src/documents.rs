//! The OpenAPI documents, and Swagger UI with its assets, which are compiled in.

use std::error::Error as StdError;
use std::string::FromUtf8Error;
use std::sync::{Arc, LazyLock};

use actix_web::http::Method;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::Error;
use trailkeeper_domain::error::BoxedError;
use utoipa_swagger_ui::{Config, Url};

use crate::api_error::{self, ApiResult};
use crate::contract::Contract;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, ReadPublic};
use crate::openapi;
use crate::operation::routes::resource;

/// Adds the routes of the documents and of Swagger UI, which no document describes. `/` leads to Swagger UI.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource::<Native>("/openapi.json", vec![(Method::GET, web::to(all))]))
        .service(resource::<Native>("/openapi/{contract}.json", vec![(Method::GET, web::to(one))]))
        .service(resource::<Native>("/", vec![(Method::GET, web::to(to_swagger_ui))]))
        .service(resource::<Native>("/docs", vec![(Method::GET, web::to(to_swagger_ui))]))
        .service(resource::<Native>("/docs/{file:.*}", vec![(Method::GET, web::to(swagger_ui))]));
}

/// Generated once, because generating takes long and anybody may request a document.
static ALL: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi::merged_json()));
static EACH: LazyLock<[(Contract, Bytes); 4]> =
    LazyLock::new(|| Contract::ALL.map(|contract| (contract, Bytes::from(openapi::openapi_json(contract)))));

/// All operations in one document.
async fn all(_: Anyone<ReadPublic, Native>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(ALL.clone())
}

/// One contract's document.
async fn one(_: Anyone<ReadPublic, Native>, request: HttpRequest) -> ApiResult<Native> {
    let name = request.match_info().get("contract").unwrap_or_default();
    let (_, document) = EACH
        .iter()
        .find(|(contract, _)| contract.as_str() == name)
        .ok_or_else(|| api_error::unknown_path(request.path(), "/openapi/{saasus,octopai,cripsa,native}.json"))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document.clone()))
}

/// Redirects to the folder of Swagger UI, because its assets have relative paths.
async fn to_swagger_ui(_: Anyone<ReadPublic, Native>) -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// Swagger UI over all documents, the native one first.
async fn swagger_ui(_: Anyone<ReadPublic, Native>, request: HttpRequest) -> ApiResult<Native> {
    let documents = [Contract::Native, Contract::Saasus, Contract::Octopai, Contract::Cripsa]
        .map(|contract| Url::new(contract.title(), contract_path(contract)));
    let config = Config::new(documents).validator_url("none").persist_authorization(true).show_extensions(true);
    let name = request.match_info().get("file").unwrap_or_default();
    let file = utoipa_swagger_ui::serve(name, Arc::new(config))
        .map_err(|error| Error::internal(shareable(error)))?
        .ok_or_else(|| api_error::unknown_path(request.path(), "/openapi.json"))?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
}

/// An error of Swagger UI, which does not say that other threads may have it. Its types do.
fn shareable(error: Box<dyn StdError>) -> BoxedError {
    let error = match error.downcast::<serde_json::Error>() {
        Ok(error) => return error,
        Err(error) => error,
    };
    match error.downcast::<FromUtf8Error>() {
        Ok(error) => error,
        // No other type occurs.
        Err(error) => error.to_string().into(),
    }
}

fn contract_path(contract: Contract) -> &'static str {
    match contract {
        Contract::Saasus => "/openapi/saasus.json",
        Contract::Octopai => "/openapi/octopai.json",
        Contract::Cripsa => "/openapi/cripsa.json",
        Contract::Native => "/openapi/native.json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_swagger_ui_stays_the_cause() {
        let wrong_utf8 = String::from_utf8(vec![0xff]).unwrap_err();
        assert!(shareable(Box::new(wrong_utf8)).is::<FromUtf8Error>());
        let wrong_json = serde_json::from_str::<bool>("x").unwrap_err();
        assert!(shareable(Box::new(wrong_json)).is::<serde_json::Error>());
    }
}
