//! JSON of strangers: bounded in depth, every name once, an object at the top.

use crate::body::{Malformed, Node, Object};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

/// Our deepest field is in the second level.
const DEEPEST: u32 = 8;

pub(crate) fn read(bytes: &[u8]) -> Result<Object, Malformed> {
    let why = Cell::new(None);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let node = Reader { depth: 0, why: &why }
        .deserialize(&mut json)
        .and_then(|node| json.end().map(|()| node))
        // serde's own text ends here: it may hold a piece of the body.
        .map_err(|error| {
            why.get().unwrap_or(Malformed::NotJson { line: error.line(), column: error.column() })
        })?;
    match node {
        Node::Object(object) => Ok(object),
        Node::Null | Node::Flag(_) | Node::Number(_) | Node::Text(_) | Node::List => {
            Err(Malformed::NotAnObject)
        }
    }
}

/// Reads one value, and remembers why where it stops.
#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: u32,
    why: &'a Cell<Option<Malformed>>,
}

impl Reader<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            return Err(self.refuse(Malformed::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, why: Malformed) -> E {
        self.why.set(Some(why));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(serde_json::Number::from_f64(number).map_or(Node::Null, Node::Number))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }
    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut fields = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            if fields.insert(name, value).is_some() {
                return Err(self.refuse(Malformed::DuplicateField));
            }
        }
        Ok(Node::Object(Object(fields)))
    }
}
