//! The derives `#[derive(QueryParams)]` and `#[derive(PathParams)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Expr, Field, LitInt, Path, Result, Type};

use crate::attributes::{argument_of, doc, error, fields, wire_name};

/// The location of a struct's parameters in the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// The query string.
    Query,
    /// The path.
    Path,
}

/// The options of the attribute `#[param(…)]` on one field.
#[derive(Default)]
struct Param {
    schema: Option<Type>,
    inline: bool,
    with: Option<Path>,
    read: Option<Path>,
    example: Option<Expr>,
    min_items: Option<LitInt>,
    max_items: Option<LitInt>,
    list: Option<Path>,
    flatten: bool,
    visible: bool,
}

impl Param {
    fn of(field: &Field) -> Result<Self> {
        let mut param = Self::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("param")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("schema") {
                    param.schema = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("inline") {
                    param.inline = true;
                } else if meta.path.is_ident("with") {
                    param.with = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("read") {
                    param.read = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("example") {
                    param.example = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("min_items") {
                    param.min_items = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("max_items") {
                    param.max_items = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("list") {
                    param.list = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("flatten") {
                    param.flatten = true;
                } else if meta.path.is_ident("visible") {
                    param.visible = true;
                } else {
                    return Err(meta.error(
                        "unknown; known are: schema, inline, with, read, example, min_items, max_items, list, \
                         flatten, visible",
                    ));
                }
                Ok(())
            })?;
        }
        Ok(param)
    }
}

/// Generates the implementation of `QueryParams` or `PathParams`.
pub fn expand(input: &DeriveInput, location: Location) -> Result<TokenStream> {
    let ident = &input.ident;
    let mut declared = Vec::new();
    let mut read = Vec::new();
    let mut canonical = Vec::new();
    let mut checks = Vec::new();
    for field in fields(input)? {
        let param = Param::of(field)?;
        let (name, ty) = (&field.ident, &field.ty);
        if param.flatten {
            declared.push(quote! { <#ty as crate::operation::QueryParams>::declare(out); });
            read.push(quote! { #name: <#ty as crate::operation::QueryParams>::read(query)? });
        } else {
            declared.push(declaration(field, &param, location)?);
            let value = match location {
                Location::Query => query_value(field, &param),
                Location::Path => path_value(field, &param),
            };
            read.push(quote! { #name: #value });
            if location == Location::Path {
                let (name, parse) = (wire_name(field), parser(ty, &param));
                canonical.push(quote! { #name => #parse(#name, &value).ok().map(|parsed| parsed.to_string()) });
            }
        }
        if param.visible {
            if location == Location::Query {
                return error(field, "only parameters in a path are checked; narrow the visibility in the handler");
            }
            checks.push(quote! { visibility.check(self.#name)?; });
        }
    }
    let (trait_name, source) = match location {
        Location::Query => (format_ident!("QueryParams"), quote!(query: &crate::operation::Query)),
        Location::Path => (format_ident!("PathParams"), quote!(path: &crate::operation::PathValues<'_>)),
    };
    let check = (!checks.is_empty()).then(|| {
        quote! {
            fn check(
                &self,
                visibility: Option<::trailkeeper_domain::visibility::Visibility>,
            ) -> ::trailkeeper_domain::Result<()> {
                let visibility = visibility.ok_or_else(|| {
                    ::trailkeeper_domain::Error::internal("an operation without a credential checks what it may see")
                })?;
                #(#checks)*
                Ok(())
            }
        }
    });
    let canonical = (location == Location::Path).then(|| {
        quote! {
            fn canonical(name: &str, value: String) -> String {
                let canonical = match name {
                    #(#canonical,)*
                    _ => None,
                };
                canonical.unwrap_or(value)
            }
        }
    });
    Ok(quote! {
        impl crate::operation::#trait_name for #ident {
            fn declare(out: &mut crate::operation::Parameters) {
                #(#declared)*
            }

            fn read(#source) -> ::trailkeeper_domain::Result<Self> {
                Ok(Self { #(#read),* })
            }

            #canonical

            #check
        }
    })
}

/// Generates the code that adds the field's parameter to the document.
fn declaration(field: &Field, param: &Param, location: Location) -> Result<TokenStream> {
    let Some(schema) = &param.schema else {
        return error(field, "say which schema describes it: #[param(schema = schemas::TenantId)]");
    };
    let (name, description) = (wire_name(field), doc(&field.attrs));
    if description.is_empty() {
        return error(field, "a doc comment is missing: it is the parameter's description in the document");
    }
    let inline = param.inline;
    let required = location == Location::Path
        || argument_of(&field.ty, "Option").is_none() && argument_of(&field.ty, "Vec").is_none();
    let is_list = argument_of(argument_of(&field.ty, "Option").unwrap_or(&field.ty), "Vec").is_some();
    let items = |literal: &Option<LitInt>| literal.as_ref().map_or(quote!(None), |literal| quote!(Some(#literal)));
    let (min_items, max_items) = (items(&param.min_items), items(&param.max_items));
    let shape = if is_list {
        quote!(crate::operation::Arity::List { min_items: #min_items, max_items: #max_items })
    } else if required {
        quote!(crate::operation::Arity::Required)
    } else {
        quote!(crate::operation::Arity::Optional)
    };
    let example = param.example.as_ref().map_or(quote!(None), |example| quote!(Some(::serde_json::json!(#example))));
    Ok(quote! {
        out.add::<#schema>(#name, #description, #shape, #inline, #example);
    })
}

fn query_value(field: &Field, param: &Param) -> TokenStream {
    let name = wire_name(field);
    if let Some(read) = &param.read {
        return quote!(#read(query, #name)?);
    }
    if let Some(ty) = argument_of(&field.ty, "Option") {
        let parse = parser(ty, param);
        return quote!(query.optional(#name)?.map(|value| #parse(#name, value)).transpose()?);
    }
    if let Some(ty) = argument_of(&field.ty, "Vec") {
        let parse = parser(ty, param);
        let max = param.max_items.as_ref().map_or(quote!(usize::MAX), |max| quote!(#max));
        let list = param.list.as_ref().map_or_else(|| quote!(crate::operation::list), |path| quote!(#path));
        return quote!(#list(query, #name, #max, #parse)?);
    }
    let parse = parser(&field.ty, param);
    quote!(#parse(#name, query.required(#name)?)?)
}

fn path_value(field: &Field, param: &Param) -> TokenStream {
    let name = wire_name(field);
    let parse = parser(&field.ty, param);
    quote!(#parse(#name, &path.text(#name)?)?)
}

fn parser(ty: &Type, param: &Param) -> TokenStream {
    param.with.as_ref().map_or_else(|| quote!(<#ty as crate::operation::ParamValue>::parse), |path| quote!(#path))
}
