//! DynamoDB's expressions, as far as the ledger uses them. What is not known here is refused, as AWS
//! refuses what it does not know: a ledger that begins to use more fails its tests until this does too.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use super::Item;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Names and values that stand in an expression.
pub(super) struct Given<'a> {
    pub(super) names: &'a Value,
    pub(super) values: &'a Value,
}

/// An expression that AWS would call invalid.
pub(super) type Invalid = String;

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_alphanumeric() || "_#:.".contains(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if c.is_whitespace() {
            continue;
        }
        let mut sign = c.to_string();
        if "<>".contains(c)
            && let Some(next) = chars.next_if(|next| *next == '=' || (c == '<' && *next == '>'))
        {
            sign.push(next);
        }
        tokens.push(sign);
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

/// A condition, to be judged of any number of items.
pub(super) struct Condition(Vec<String>);

/// A condition, read and judged in one go.
struct Reader<'a> {
    tokens: &'a [String],
    at: usize,
    item: &'a Item,
    given: &'a Given<'a>,
}

impl Condition {
    pub(super) fn of(text: &str) -> Self {
        Self(tokens(text))
    }

    /// Whether it holds for an item.
    pub(super) fn holds(&self, item: &Item, given: &Given<'_>) -> Result<bool, Invalid> {
        let mut reader = Reader { tokens: &self.0, at: 0, item, given };
        let holds = reader.any()?;
        if reader.at < reader.tokens.len() {
            return Err(format!("{}: too much at {}", self.0.join(" "), reader.at));
        }
        Ok(holds)
    }
}

/// The one partition that a key condition names, so that a query need not look at the others.
pub(super) fn partition(text: &str, given: &Given<'_>) -> Option<String> {
    let tokens = tokens(text);
    let is_pk = |token: &String| name(token, given).is_ok_and(|name| name == "pk");
    let at = tokens.iter().position(is_pk)?;
    let named =
        tokens.get(at + 2).filter(|_| tokens.get(at + 1).is_some_and(|sign| sign == "="))?;
    value(named, given).ok()?["S"].as_str().map(str::to_owned)
}

impl<'a> Reader<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> &'a str {
        self.at += 1;
        self.tokens.get(self.at - 1).map_or("", String::as_str)
    }

    fn expect(&mut self, token: &str) -> Result<(), Invalid> {
        let found = self.next();
        if found == token { Ok(()) } else { Err(format!("{token} expected, {found} found")) }
    }

    fn any(&mut self) -> Result<bool, Invalid> {
        let mut holds = self.all()?;
        while self.peek().eq_ignore_ascii_case("OR") {
            self.next();
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Result<bool, Invalid> {
        let mut holds = self.one()?;
        while self.peek().eq_ignore_ascii_case("AND") {
            self.next();
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Result<bool, Invalid> {
        match self.peek() {
            "(" => {
                self.next();
                let holds = self.any()?;
                self.expect(")")?;
                Ok(holds)
            }
            "NOT" => {
                self.next();
                Ok(!self.one()?)
            }
            "attribute_exists" | "attribute_not_exists" => {
                let wanted = self.next() == "attribute_exists";
                self.expect("(")?;
                let name = name(self.next(), self.given)?;
                self.expect(")")?;
                Ok(self.item.contains_key(&name) == wanted)
            }
            "begins_with" | "contains" => self.about_two(),
            _ => self.comparison(),
        }
    }

    fn about_two(&mut self) -> Result<bool, Invalid> {
        let function = self.next();
        self.expect("(")?;
        let whole = self.operand()?;
        self.expect(",")?;
        let part = self.operand()?;
        self.expect(")")?;
        let (Some(whole), Some(part)) = (whole, part) else { return Ok(false) };
        let part = part["S"].as_str().unwrap_or_default().to_owned();
        if let Some(set) = whole["SS"].as_array() {
            return Ok(function == "contains" && set.iter().any(|member| *member == part));
        }
        let whole = whole["S"].as_str().unwrap_or_default();
        Ok(if function == "contains" { whole.contains(&part) } else { whole.starts_with(&part) })
    }

    fn comparison(&mut self) -> Result<bool, Invalid> {
        let left = self.operand()?;
        let sign = self.next();
        if sign.eq_ignore_ascii_case("IN") {
            return self.among(left);
        }
        if sign.eq_ignore_ascii_case("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            let high = self.operand()?;
            let order = |a: &Option<Value>, b: &Option<Value>| compare(a.as_ref(), b.as_ref());
            return Ok(order(&low, &left).is_some_and(Ordering::is_le)
                && order(&left, &high).is_some_and(Ordering::is_le));
        }
        let right = self.operand()?;
        let order = compare(left.as_ref(), right.as_ref());
        match sign {
            "=" => Ok(order == Some(Ordering::Equal)),
            "<>" => Ok(order != Some(Ordering::Equal)),
            "<" => Ok(order == Some(Ordering::Less)),
            "<=" => Ok(order.is_some_and(Ordering::is_le)),
            ">" => Ok(order == Some(Ordering::Greater)),
            ">=" => Ok(order.is_some_and(Ordering::is_ge)),
            _ => Err(format!("{sign} is no comparison")),
        }
    }

    fn among(&mut self, left: Option<Value>) -> Result<bool, Invalid> {
        self.expect("(")?;
        let mut found = false;
        loop {
            let one = self.operand()?;
            found |= compare(left.as_ref(), one.as_ref()) == Some(Ordering::Equal);
            match self.next() {
                "," => {}
                ")" => return Ok(found),
                other => return Err(format!("{other} in a list")),
            }
        }
    }

    /// A value, or `None` where the item has no such attribute: it compares with nothing.
    fn operand(&mut self) -> Result<Option<Value>, Invalid> {
        let token = self.next();
        if token == "size" {
            self.expect("(")?;
            let name = name(self.next(), self.given)?;
            self.expect(")")?;
            return Ok(self.item.get(&name).map(|value| json!({"N": size(value).to_string()})));
        }
        if token.starts_with(':') {
            return value(token, self.given).map(Some);
        }
        Ok(self.item.get(&name(token, self.given)?).cloned())
    }
}

fn size(value: &Value) -> usize {
    let set = value["SS"].as_array().map(Vec::len);
    set.unwrap_or_else(|| value["S"].as_str().map_or(0, str::len))
}

fn name(token: &str, given: &Given<'_>) -> Result<String, Invalid> {
    if !token.starts_with('#') {
        let is_word = !token.is_empty() && !token.contains([':', '.', '(', ')']);
        return if is_word { Ok(token.to_owned()) } else { Err(format!("{token} is no name")) };
    }
    given.names[token].as_str().map(str::to_owned).ok_or(format!("{token} is not given"))
}

fn value(token: &str, given: &Given<'_>) -> Result<Value, Invalid> {
    given.values.get(token).cloned().ok_or(format!("{token} is not given"))
}

pub(super) fn number(value: &Value) -> Option<i128> {
    value["N"].as_str()?.parse().ok()
}

/// Values of one type compare; of two types they are neither equal nor ordered.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Option<Ordering> {
    let (a, b) = (a?, b?);
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Some(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (a["S"].as_str(), b["S"].as_str()) {
        return Some(a.as_bytes().cmp(b.as_bytes()));
    }
    (a == b).then_some(Ordering::Equal)
}

/// Applies an update expression; all right-hand sides are read from the item as it was.
pub(super) fn update(text: &str, item: &mut Item, given: &Given<'_>) -> Result<(), Invalid> {
    let tokens = tokens(text);
    let was = item.clone();
    let mut clause = String::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if ["SET", "REMOVE", "ADD"].contains(&token.as_str()) {
            clause.clone_from(token);
            at += 1;
        } else if token == "," {
            at += 1;
        }
        let attribute = name(tokens.get(at).map_or("", String::as_str), given)?;
        if attribute == "pk" || attribute == "sk" {
            return Err("a key cannot be changed".to_owned());
        }
        let second = tokens.get(at + 1).map_or("", String::as_str);
        let third = tokens.get(at + 2).map_or("", String::as_str);
        at += match clause.as_str() {
            "SET" if second == "=" && third == "if_not_exists" => {
                // if_not_exists ( attribute , value )
                let of = |place: usize| tokens.get(at + place).map_or("", String::as_str);
                let held = was.get(&name(of(4), given)?).cloned();
                item.insert(attribute, held.map_or_else(|| value(of(6), given), Ok)?);
                8
            }
            "SET" if second == "=" => {
                item.insert(attribute, value(third, given)?);
                3
            }
            "REMOVE" => {
                item.remove(&attribute);
                1
            }
            "ADD" => {
                add(item, attribute, &value(second, given)?)?;
                2
            }
            _ => return Err(format!("{text}: not understood at {attribute}")),
        };
    }
    Ok(())
}

fn add(item: &mut Item, attribute: String, more: &Value) -> Result<(), Invalid> {
    if let Some(more) = number(more) {
        let held = item.get(&attribute);
        let sum = match held {
            None => more,
            Some(held) => number(held).ok_or("ADD to what is no number")? + more,
        };
        item.insert(attribute, json!({"N": sum.to_string()}));
        return Ok(());
    }
    let new = more["SS"].as_array().cloned().ok_or("ADD of neither a number nor a set")?;
    let mut set = item.get(&attribute).and_then(|held| held["SS"].as_array().cloned());
    let set_now = set.get_or_insert_default();
    for member in new {
        if !set_now.contains(&member) {
            set_now.push(member);
        }
    }
    item.insert(attribute, json!({"SS": set_now}));
    Ok(())
}
