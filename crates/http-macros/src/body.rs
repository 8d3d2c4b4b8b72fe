//! The derive `#[derive(Body)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Expr, Field, LitStr, Path, Result};

use crate::attributes::{Case, argument_of, error, fields, wire_name};

/// The options of the attribute `#[body(…)]` on the struct.
#[derive(Default)]
struct Container {
    name: Option<LitStr>,
    max_bytes: Option<Expr>,
    optional: bool,
    any_case: bool,
    ignores_unknown_fields: bool,
    parsed_as: Option<Path>,
}

impl Container {
    fn of(input: &DeriveInput) -> Result<Self> {
        let mut container = Self::default();
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("body")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    container.name = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("max_bytes") {
                    container.max_bytes = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("optional") {
                    container.optional = true;
                } else if meta.path.is_ident("any_case") {
                    container.any_case = true;
                } else if meta.path.is_ident("ignores_unknown_fields") {
                    container.ignores_unknown_fields = true;
                } else if meta.path.is_ident("parsed_as") {
                    container.parsed_as = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error(
                        "unknown; known are: name, max_bytes, optional, any_case, ignores_unknown_fields, parsed_as",
                    ));
                }
                Ok(())
            })?;
        }
        Ok(container)
    }
}

/// Generates the implementation of `Body`.
pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let ident = &input.ident;
    let container = Container::of(input)?;
    let Some(noun) = &container.name else {
        return error(ident, "say what error messages call it: #[body(name = \"an account\")]");
    };
    let (optional, any_case) = (container.optional, container.any_case);
    let finish = (!container.ignores_unknown_fields).then(|| quote!(json.finish(Self::FIELDS)?;));
    let max_bytes = container.max_bytes.map(|bytes| quote! { const MAX_BYTES: usize = #bytes; });
    let fields = fields(input)?;
    let case = Case::of(&input.attrs)?;
    let names: Vec<String> = fields.iter().map(|field| case.apply(&wire_name(field))).collect();
    let (parsed, checked, read) = if let Some(draft) = &container.parsed_as {
        (
            quote!(#draft),
            Some(quote! {
                const _: () = assert!(
                    crate::operation::same_names(&[#(#names),*], &#draft::FIELDS),
                    "the documented fields are not those that are read"
                );
            }),
            quote!(#draft::take_from(&mut json)?),
        )
    } else {
        let values = fields.iter().map(|field| value(field, case)).collect::<Result<Vec<_>>>()?;
        let idents = fields.iter().map(|field| &field.ident);
        (quote!(Self), None, quote!(Self { #(#idents: #values),* }))
    };
    Ok(quote! {
        #checked

        impl crate::operation::Body for #ident {
            type Parsed = #parsed;
            const NAME: &'static str = #noun;
            const FIELDS: &'static [&'static str] = &[#(#names),*];
            const OPTIONAL: bool = #optional;
            const ANY_CASE: bool = #any_case;
            #max_bytes

            fn read(mut json: ::trailkeeper_domain::json::JsonObject) -> ::trailkeeper_domain::Result<Self::Parsed> {
                let body = #read;
                #finish
                Ok(body)
            }
        }
    })
}

fn value(field: &Field, case: Case) -> Result<TokenStream> {
    let (mut expected, mut with): (Option<Expr>, Option<Path>) = (None, None);
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("body")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("expected") {
                expected = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("with") {
                with = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("unknown; known are: expected, with"));
            }
            Ok(())
        })?;
    }
    let (name, ty) = (case.apply(&wire_name(field)), &field.ty);
    if let Some(with) = with {
        return Ok(quote!(#with(&mut json, #name)?));
    }
    let field_type = |ty| quote!(<#ty as crate::operation::BodyField>);
    let (inner, take) = if let Some(inner) = argument_of(ty, "Option") {
        (inner, quote!(optional))
    } else if let Some(inner) = argument_of(ty, "Patch") {
        (inner, quote!(patch))
    } else {
        (ty, quote!(required))
    };
    let field = field_type(inner);
    let expected = expected.map_or_else(|| quote!(#field::EXPECTED), |expected| quote!(#expected));
    Ok(quote!(crate::operation::#take::<#inner>(&mut json, #name, #expected)?))
}
