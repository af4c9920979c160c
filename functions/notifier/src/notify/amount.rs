//! Amounts as people write them.
//!
//! As in Unicode's CLDR (<https://cldr.unicode.org>): European Portuguese writes `97,00 €`, groups by
//! a space and only from five digits on; English writes `€97.00` and groups by a comma.

use domain::contact::Language;
use domain::money::Money;

/// Keeps an amount on one line with its currency.
const NO_BREAK_SPACE: char = '\u{a0}';

/// Writes an amount for a reader of a language.
pub(super) fn amount(money: Money, language: Language) -> String {
    let major = money.major();
    let (sign, digits) = major.strip_prefix('-').map_or(("", major.as_str()), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let symbol = symbol(money.currency.code());
    match language {
        Language::Portuguese => {
            let whole = if whole.len() > 4 { grouped(whole, NO_BREAK_SPACE) } else { whole.into() };
            let unit = symbol.unwrap_or(money.currency.code());
            format!("{sign}{}{NO_BREAK_SPACE}{unit}", joined(&whole, ',', part))
        }
        Language::English => {
            let number = joined(&grouped(whole, ','), '.', part);
            match symbol {
                Some(symbol) => format!("{sign}{symbol}{number}"),
                None => format!("{sign}{}{NO_BREAK_SPACE}{number}", money.currency.code()),
            }
        }
    }
}

/// The symbols that mean one currency alone to readers in Europe; others are written by their code.
fn symbol(code: &str) -> Option<&'static str> {
    match code {
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        _ => None,
    }
}

fn joined(whole: &str, mark: char, part: &str) -> String {
    if part.is_empty() { whole.to_owned() } else { format!("{whole}{mark}{part}") }
}

fn grouped(digits: &str, mark: char) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(mark);
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::amount;
    use domain::contact::Language;
    use domain::money::{Currency, Money};

    #[test]
    fn amounts_are_written_as_the_reader_writes_them() {
        for (minor, code, portuguese, english) in [
            (9700, "EUR", "97,00 €", "€97.00"),
            (5, "EUR", "0,05 €", "€0.05"),
            (123_456, "EUR", "1234,56 €", "€1,234.56"),
            (1_234_567, "EUR", "12 345,67 €", "€12,345.67"),
            (9700, "JPY", "9700 JPY", "JPY 9,700"),
            (9705, "KWD", "9,705 KWD", "KWD 9.705"),
            (-150, "GBP", "-1,50 £", "-£1.50"),
        ] {
            let money = Money { minor, currency: Currency::parse(code).unwrap() };
            let spaced = |language| amount(money, language).replace('\u{a0}', " ");
            assert_eq!(spaced(Language::Portuguese), portuguese);
            assert_eq!(spaced(Language::English), english);
        }
    }
}
