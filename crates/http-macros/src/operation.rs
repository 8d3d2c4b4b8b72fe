//! The attribute `#[operation(…)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Result, ReturnType, Token, Type};

use crate::attributes::{argument_of, error, last_argument};

/// The arguments of the attribute `#[operation(…)]`.
pub struct Arguments {
    method: Ident,
    path: LitStr,
    /// The description of the body that the argument `FromBody` reads.
    body: Option<LitStr>,
    operation_id: Option<LitStr>,
    ignores_unknown_parameters: bool,
    /// Arguments that are passed to `utoipa::path` unchanged.
    documented: Vec<Meta>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let method = input.parse()?;
        input.parse::<Token![,]>()?;
        let path = input.parse()?;
        let mut arguments = Self {
            method,
            path,
            body: None,
            operation_id: None,
            ignores_unknown_parameters: false,
            documented: Vec::new(),
        };
        if input.parse::<Option<Token![,]>>()?.is_none() {
            return Ok(arguments);
        }
        for meta in Punctuated::<Meta, Token![,]>::parse_terminated(input)? {
            arguments.take(meta)?;
        }
        Ok(arguments)
    }
}

impl Arguments {
    fn take(&mut self, meta: Meta) -> Result<()> {
        let name = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "body" => self.body = Some(text_of(&meta)?),
            "operation_id" => self.operation_id = Some(text_of(&meta)?),
            "unknown_parameters" => {
                if text_of(&meta)?.value() != "ignored" {
                    return error(&meta, "only \"ignored\" is known; leave it out to refuse them");
                }
                self.ignores_unknown_parameters = true;
            }
            "tag" | "responses" | "request_body" => self.documented.push(meta),
            _ => {
                return error(
                    &meta,
                    "unknown; known are: tag, operation_id, body, request_body, responses, unknown_parameters",
                );
            }
        }
        Ok(())
    }
}

fn text_of(meta: &Meta) -> Result<LitStr> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
            value => error(value, "a text in quotes is expected"),
        },
        _ => error(meta, "a text in quotes is expected: name = \"…\""),
    }
}

/// Generates the handler, and the declaration of its operation under the same name.
pub fn expand(arguments: Arguments, handler: &ItemFn) -> Result<TokenStream> {
    let ident = &handler.sig.ident;
    let inputs = handler.sig.inputs.iter().map(type_of).collect::<Result<Vec<_>>>()?;
    let Some((access, others)) = inputs.split_first() else {
        return error(&handler.sig, "the first argument says who may call it: Caller<…>, Anyone<…> or Everyone<…>");
    };
    let ReturnType::Type(_, returned) = &handler.sig.output else {
        return error(&handler.sig, "a handler returns ApiResult<Format>");
    };
    let Some(format) = last_argument(returned) else {
        return error(returned, "a handler returns ApiResult<Format>");
    };
    let find = |name: &str| others.iter().find_map(|ty| argument_of(ty, name));
    let declare = |ty: Option<&Type>, name: &str| {
        let trait_name = format_ident!("{name}");
        ty.map(|ty| quote! { <#ty as crate::operation::#trait_name>::declare(out); })
    };
    let (path_params, query_params) =
        (declare(find("FromPath"), "PathParams"), declare(find("FromQuery"), "QueryParams"));
    let canonical = find("FromPath").map_or_else(
        || quote! { let _ = name; value },
        |ty| quote! { <#ty as crate::operation::PathParams>::canonical(name, value) },
    );
    let documents_body = arguments.documented.iter().any(|meta| meta.path().is_ident("request_body"));
    let body = match (find("FromBody"), &arguments.body) {
        (Some(body), Some(description)) => quote!(Some(crate::operation::BodySpec::of::<#body>(Some(#description)))),
        (Some(body), None) if documents_body => quote!(Some(crate::operation::BodySpec::of::<#body>(None))),
        (Some(body), None) => {
            return error(body, "describe the body: body = \"The tenant.\", or request_body(…)");
        }
        (None, None) => quote!(None),
        (None, Some(description)) => return error(description, "there is no FromBody argument to describe"),
    };
    let public = ["Anyone", "Everyone"].iter().any(|name| names_type(access, name));
    let security = if public { quote!(()) } else { quote!(("Bearer" = [])) };
    let wait = handler.sig.asyncness.map(|_| quote!(.await));
    let first = format_ident!("access");
    let values: Vec<Ident> = (0..others.len()).map(|index| format_ident!("argument_{index}")).collect();
    let Arguments { method, path, operation_id, ignores_unknown_parameters, documented, .. } = arguments;
    let id = operation_id.unwrap_or_else(|| LitStr::new(&ident.to_string(), ident.span()));
    Ok(quote! {
        #[expect(non_camel_case_types, reason = "a declaration has the name of its handler")]
        #[doc(hidden)]
        pub struct #ident {}

        impl crate::operation::Operation for #ident {
            type Format = #format;
            type Access = #access;
            const ID: &'static str = #id;
            const IGNORES_UNKNOWN_PARAMETERS: bool = #ignores_unknown_parameters;

            fn declare_path(out: &mut crate::operation::Parameters) {
                let _ = &out;
                #path_params
            }

            fn canonical(name: &str, value: String) -> String {
                #canonical
            }

            fn declare_query(out: &mut crate::operation::Parameters) {
                let _ = &out;
                #query_params
            }

            fn body() -> Option<crate::operation::BodySpec> {
                #body
            }

            fn route(declaration: &'static crate::operation::Declaration) -> ::actix_web::Route {
                ::actix_web::web::to(
                    move |request: ::actix_web::HttpRequest, payload: ::actix_web::web::Payload| async move {
                        let mut call = crate::operation::Call::new(request, payload, declaration);
                        let #first = <#access as crate::operation::FromCall<#format>>::from_call(&mut call).await?;
                        call.check_parameters()?;
                        #(let #values = <#others as crate::operation::FromCall<#format>>::from_call(&mut call).await?;)*
                        let answer: #returned = #ident(#first, #(#values),*)#wait;
                        answer
                    },
                )
            }
        }

        #[utoipa::path(#method, path = #path, operation_id = #id, impl_for = #ident, security(#security), #(#documented),*)]
        #handler
    })
}

fn names_type(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn type_of(argument: &FnArg) -> Result<Type> {
    match argument {
        FnArg::Typed(typed) => Ok((*typed.ty).clone()),
        FnArg::Receiver(receiver) => error(receiver, "a handler is a free function"),
    }
}
