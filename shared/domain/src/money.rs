//! Amounts in the smallest unit of their currency. No floats anywhere.

use crate::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 code in upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Currencies that Stripe takes without decimals (<https://docs.stripe.com/currencies#zero-decimal>).
/// UGX is sent as if it had two, and so is ISK.
const ZERO_DECIMAL: [&[u8; 3]; 15] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"JPY", b"KMF", b"KRW", b"MGA", b"PYG", b"RWF", b"VND", b"VUV",
    b"XAF", b"XOF", b"XPF",
];
/// Currencies with three decimals (<https://docs.stripe.com/currencies#three-decimal>).
const THREE_DECIMAL: [&[u8; 3]; 5] = [b"BHD", b"JOD", b"KWD", b"OMR", b"TND"];

impl Currency {
    /// Reads a code in either case.
    ///
    /// # Errors
    /// Refuses what is not three ASCII letters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.as_bytes() {
            &[a, b, c] if text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(Self([a, b, c].map(|byte| byte.to_ascii_uppercase())))
            }
            _ => Err(Refusal("must be an ISO 4217 code of three letters")),
        }
    }

    /// The code in upper case, as Google and people write it.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals Stripe's integer amounts hide.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        if ZERO_DECIMAL.contains(&&self.0) {
            0
        } else if THREE_DECIMAL.contains(&&self.0) {
            3
        } else {
            2
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount in minor units (cents), with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: 9700 is 97.00 EUR, and 9700 JPY.
    #[serde(rename = "amount")]
    pub minor: i64,
    /// The currency, which says how many decimals `minor` hides.
    pub currency: Currency,
}

impl Money {
    /// The amount in major units as decimal text: `97.00`, `9700` (JPY), `9.700` (KWD).
    #[must_use]
    pub fn major(&self) -> String {
        let decimals = self.currency.decimals();
        if decimals == 0 {
            return self.minor.to_string();
        }
        let scale = 10_u64.pow(decimals);
        let (whole, part) = (self.minor.unsigned_abs() / scale, self.minor.unsigned_abs() % scale);
        let sign = if self.minor < 0 { "-" } else { "" };
        format!("{sign}{whole}.{part:0width$}", width = decimals as usize)
    }

    /// This amount `quantity` times; `None` where it does not fit.
    #[must_use]
    pub fn times(&self, quantity: u32) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(i64::from(quantity))?, currency: self.currency })
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money};

    fn money(minor: i64, code: &str) -> Money {
        Money { minor, currency: Currency::parse(code).unwrap() }
    }

    #[test]
    fn major_units_follow_the_currencys_decimals() {
        for (minor, code, major) in [
            (9700, "eur", "97.00"),
            (5, "EUR", "0.05"),
            (9700, "JPY", "9700"),
            (9700, "kwd", "9.700"),
            (-150, "USD", "-1.50"),
            (500, "UGX", "5.00"),
            (500, "ISK", "5.00"),
            (500, "HUF", "5.00"),
            (500, "XOF", "500"),
        ] {
            assert_eq!(money(minor, code).major(), major);
        }
    }

    #[test]
    fn a_product_that_does_not_fit_is_no_amount() {
        assert_eq!(money(9700, "EUR").times(3), Some(money(29100, "EUR")));
        assert_eq!(money(i64::MAX, "EUR").times(2), None);
    }

    #[test]
    fn codes_have_three_letters() {
        for text in ["", "eu", "euro", "e1r", "€"] {
            assert!(Currency::parse(text).is_err(), "{text}");
        }
    }
}
