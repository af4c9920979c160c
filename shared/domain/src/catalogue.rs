//! The products and their prices: configuration of the business, never a browser's word.

use crate::contact::Language;
use crate::id::ProductId;
use crate::money::Money;
use crate::order::Order;
use serde::{Deserialize, Serialize};

/// All that can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    products: Vec<Product>,
}

/// A product as the business describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id, which pages send.
    pub id: ProductId,
    /// Its name for people.
    pub name: Name,
    /// The price of one.
    pub price: Money,
}

/// A product's name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// European Portuguese.
    #[serde(rename = "pt-PT")]
    pub portuguese: String,
    /// English.
    #[serde(rename = "en")]
    pub english: String,
}

/// Why a catalogue cannot be used. Names the product and the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not JSON of the catalogue's shape.
    #[error(
        "the catalogue is not JSON of the shape {{\"products\":[{{\"id\",\"name\":{{\"pt-PT\",\"en\"}},\"price\":{{\"amount\",\"currency\"}}}}]}}: line {line}, column {column}"
    )]
    Shape {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// No product.
    #[error("the catalogue holds no product")]
    Empty,
    /// The same id twice.
    #[error("the catalogue holds the product {0} twice")]
    Twice(ProductId),
    /// A price that cannot be charged: Stripe takes 1 to 99,999,999 minor units.
    #[error("the price of {0} must be 1 to 99999999 minor units")]
    Price(ProductId),
}

/// Stripe's largest charge: eight digits (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
const LARGEST_CHARGE: i64 = 99_999_999;

impl Catalogue {
    /// Reads and checks a catalogue.
    ///
    /// # Errors
    /// Says what is wrong with it, with the product's id.
    pub fn parse(json: &str) -> Result<Self, Unusable> {
        let catalogue: Self = serde_json::from_str(json)
            .map_err(|error| Unusable::Shape { line: error.line(), column: error.column() })?;
        if catalogue.products.is_empty() {
            return Err(Unusable::Empty);
        }
        for (at, product) in catalogue.products.iter().enumerate() {
            if catalogue.products.iter().skip(at + 1).any(|other| other.id == product.id) {
                return Err(Unusable::Twice(product.id.clone()));
            }
            if !(1..=LARGEST_CHARGE).contains(&product.price.minor) {
                return Err(Unusable::Price(product.id.clone()));
            }
        }
        Ok(catalogue)
    }

    /// So many of a product at today's price; `None` where there is no such product, or where the
    /// sum is more than can be charged.
    #[must_use]
    pub fn order(&self, id: &ProductId, quantity: u32, language: Language) -> Option<Order> {
        let product = self.products.iter().find(|product| product.id == *id)?;
        let name = match language {
            Language::Portuguese => &product.name.portuguese,
            Language::English => &product.name.english,
        };
        let order = Order {
            product_id: product.id.clone(),
            product_name: name.clone(),
            quantity,
            unit_price: product.price,
        };
        order.total().filter(|total| total.minor <= LARGEST_CHARGE).map(|_| order)
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Unusable};
    use crate::contact::Language;
    use crate::id::ProductId;

    const SAMPLE: &str = r#"{"products":[{"id":"cafe-com-vendas-ticket","name":{"pt-PT":"Café com Vendas – Lisboa","en":"Café com Vendas – Lisbon"},"price":{"amount":9700,"currency":"eur"}}]}"#;

    #[test]
    fn prices_come_from_the_catalogue_in_the_buyers_language() {
        let catalogue = Catalogue::parse(SAMPLE).unwrap();
        let id = ProductId::parse("cafe-com-vendas-ticket").unwrap();
        let order = catalogue.order(&id, 2, Language::English).unwrap();
        assert_eq!(
            (order.product_name.as_str(), order.total().unwrap().minor),
            ("Café com Vendas – Lisbon", 19400)
        );
        assert!(
            catalogue.order(&id, 20_000, Language::English).is_none(),
            "more than Stripe charges"
        );
        assert!(catalogue.order(&ProductId::parse("tea").unwrap(), 1, Language::English).is_none());
    }

    #[test]
    fn a_catalogue_says_what_is_wrong_with_it() {
        assert!(matches!(Catalogue::parse("{"), Err(Unusable::Shape { line: 1, .. })));
        assert_eq!(Catalogue::parse(r#"{"products":[]}"#), Err(Unusable::Empty));
        let one = SAMPLE.trim_start_matches(r#"{"products":["#).trim_end_matches("]}").to_owned();
        let and = |other: &str| format!(r#"{{"products":[{one},{other}]}}"#);
        assert!(matches!(Catalogue::parse(&and(&one)), Err(Unusable::Twice(_))));
        assert!(Catalogue::parse(&and(&one.replace("-ticket", "-table"))).is_ok());
        let free = SAMPLE.replace("9700", "0");
        assert!(matches!(Catalogue::parse(&free), Err(Unusable::Price(_))));
    }
}
