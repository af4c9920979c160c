//! What is being bought.

use crate::id::ProductId;
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// One product, so many times, at the catalogue's price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The product's id in the catalogue.
    pub product_id: ProductId,
    /// Its name in the buyer's language at the time of the order.
    pub product_name: String,
    /// How many: 1 to 20.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

impl Order {
    /// The price of all.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        self.unit_price.times(self.quantity)
    }
}
