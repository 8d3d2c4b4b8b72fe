//! The OpenAPI documents, and Swagger UI with its assets from inside the binary.

use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::openapi::{self, Contract};
use crate::refusal::{self, Answer};
use crate::shapes::Native;

/// All operations in one document.
pub async fn all() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(openapi::merged_json())
}

/// One contract's document.
pub async fn one(request: HttpRequest) -> Answer<Native> {
    let name = request.match_info().get("contract").unwrap_or_default();
    let contract = Contract::ALL
        .into_iter()
        .find(|contract| contract.as_str() == name)
        .ok_or_else(|| refusal::unknown_path(request.path(), "/openapi/{saasus,octopai,cripsa,native}.json"))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(openapi::openapi_json(contract)))
}

/// Swagger UI over all documents, the native one first.
pub fn swagger_ui() -> SwaggerUi {
    let documents = [Contract::Native, Contract::Saasus, Contract::Octopai, Contract::Cripsa]
        .map(|contract| Url::new(contract.title(), contract_path(contract)));
    SwaggerUi::new("/docs/{_:.*}").config(Config::new(documents).validator_url("none").persist_authorization(true))
}

fn contract_path(contract: Contract) -> &'static str {
    match contract {
        Contract::Saasus => "/openapi/saasus.json",
        Contract::Octopai => "/openapi/octopai.json",
        Contract::Cripsa => "/openapi/cripsa.json",
        Contract::Native => "/openapi/native.json",
    }
}
