//! Lists of values in a field of an object.

use crate::error::{Error, Result};
use crate::json::object::JsonObject;
use crate::json::value::JsonValue;
use crate::json::walk::Walk;

/// The type of the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// Texts.
    Texts,
    /// Numbers.
    Numbers,
}

impl JsonObject {
    /// Takes a field that must be a list of at most `most` items of one type, each of which `parse` reads; it gets the name of
    /// the item, `type[2]`, for its errors. Absent: an empty list; null is none. `way_out` completes "send …" in the error.
    pub fn list<T>(
        &mut self,
        field: &str,
        (most, of): (usize, Items),
        way_out: &str,
        parse: impl Fn(&str, &str) -> Result<T>,
    ) -> Result<Vec<T>> {
        if self.is_null(field) {
            return Err(self.wrong(field, &JsonValue::Null, "a list", way_out));
        }
        let items = match self.take(field) {
            None => return Ok(Vec::new()),
            Some(JsonValue::List(items)) => items,
            Some(other) => return Err(self.wrong(field, &other, "a list", way_out)),
        };
        let mut read = Vec::new();
        for (at, (_, item)) in Walk::new(&items).parts().enumerate() {
            if at == most {
                return Err(Error::invalid(self.named(field), format!("has more than {most} values; send fewer")));
            }
            let name = format!("{field}[{at}]");
            match (JsonValue::of(item), of) {
                (JsonValue::Text(item), Items::Texts) | (JsonValue::Number(item), Items::Numbers) => {
                    read.push(parse(&self.named(&name), &item)?);
                }
                (other, Items::Texts) => return Err(self.wrong(&name, &other, "a text", way_out)),
                (other, Items::Numbers) => return Err(self.wrong(&name, &other, "a number", way_out)),
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<String>> {
        read_of(Items::Texts, json)
    }

    fn read_of(items: Items, json: &str) -> Result<Vec<String>> {
        let mut object = JsonObject::parse("a filter", json.as_bytes()).unwrap();
        object.list("type", (3, items), "a list of types", |name, value| match value {
            "bad" => Err(Error::invalid(name, "is bad")),
            good => Ok(good.to_owned()),
        })
    }

    #[test]
    fn a_list_has_items_of_one_type_and_a_limit() {
        assert_eq!(read("{}").unwrap(), [""; 0]);
        assert_eq!(read(r#"{"type":["a","7","ü"]}"#).unwrap(), ["a", "7", "ü"]);
        assert_eq!(read_of(Items::Numbers, r#"{"type":[7,-1]}"#).unwrap(), ["7", "-1"]);
        let text = read_of(Items::Numbers, r#"{"type":[7,"8"]}"#).unwrap_err().to_string();
        assert_eq!(text, "type[1]: '8' is not a number; send a list of types");
        for (json, message) in [
            (r#"{"type":null}"#, "type: null is not a list; send a list of types"),
            (r#"{"type":"a"}"#, "type: 'a' is not a list; send a list of types"),
            (r#"{"type":[["a"]]}"#, "type[0]: a list is not a text; send a list of types"),
            (r#"{"type":["a",7]}"#, "type[1]: 7 is not a text; send a list of types"),
            (r#"{"type":["a",null]}"#, "type[1]: null is not a text; send a list of types"),
            (r#"{"type":["a","bad"]}"#, "type[1]: is bad"),
            (r#"{"type":["a","b","c","d"]}"#, "type: has more than 3 values; send fewer"),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), message);
        }
    }
}
