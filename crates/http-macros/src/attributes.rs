//! Helpers that the derives share: for doc comments, field names, and the shapes of field types.

use quote::ToTokens;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Field, Fields, GenericArgument, Lit, LitStr, Meta, PathArguments,
    Result, Type,
};

/// The doc comment of an item. Its lines are joined as utoipa joins them.
pub fn doc(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    lines.join("\n")
}

/// The fields of a struct with named fields.
pub fn fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            _ => Err(syn::Error::new_spanned(input, "only structs with named fields are read")),
        },
        _ => Err(syn::Error::new_spanned(input, "only structs are read")),
    }
}

/// The field's name as clients write it: `r#type` is `type`.
pub fn wire_name(field: &Field) -> String {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    name.strip_prefix("r#").map_or(name.clone(), ToOwned::to_owned)
}

/// The case of a struct's field names as clients write them: `#[serde(rename_all = "camelCase")]`, as utoipa reads it.
#[derive(Clone, Copy, Default)]
pub enum Case {
    /// The names of the Rust fields, unchanged.
    #[default]
    Snake,
    /// Camel case: `pageNumber`.
    Camel,
    /// Pascal case: `PageNumber`.
    Pascal,
}

impl Case {
    /// The case that the attributes of a struct request.
    pub fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut case = Self::Snake;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename_all") {
                    let name: LitStr = meta.value()?.parse()?;
                    case = match name.value().as_str() {
                        "camelCase" => Self::Camel,
                        "PascalCase" => Self::Pascal,
                        _ => return Err(meta.error("only camelCase and PascalCase are known")),
                    };
                }
                Ok(())
            })?;
        }
        Ok(case)
    }

    /// The name, converted to this case.
    pub fn apply(self, name: &str) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        };
        let mut words = name.split('_');
        match self {
            Self::Snake => name.to_owned(),
            Self::Camel => words.next().unwrap_or_default().to_owned() + &words.map(capital).collect::<String>(),
            Self::Pascal => words.map(capital).collect(),
        }
    }
}

/// The argument of a generic type with the name `name`: `T` of `Option<T>`.
pub fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The last generic argument of a type: `Native` of `ApiResult<Native>`.
pub fn last_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().rev().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// A compile error at the position of `at`.
pub fn error<T>(at: &impl ToTokens, message: &str) -> Result<T> {
    Err(syn::Error::new_spanned(at, message))
}
