//! The letters to buyers, in European Portuguese and in English, as plain text and as HTML.

use crate::notify::amount::amount;
use delivery::courier::Errand;
use domain::contact::{Contact, Language};
use domain::fact::Payment;
use domain::order::Order;

/// What a letter is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Matter<'a> {
    /// A payment that arrived.
    Paid(&'a Payment),
    /// A payment that did not.
    Failed(&'a Payment),
    /// Money that went back; the amount is what did.
    Refunded(&'a Payment),
}

/// A letter.
pub(super) struct Letter {
    /// One line.
    pub(super) subject: String,
    /// The text.
    pub(super) plain: String,
    /// The same as HTML.
    pub(super) html: String,
}

impl Letter {
    /// Writes to the person of an errand, signed by the business.
    pub(super) fn write(errand: &Errand<'_>, matter: Matter<'_>, sender: Option<&str>) -> Self {
        let language = errand.contact.language;
        let order = errand.journey.order_of(&matter.payment().payment_intent);
        let mut paragraphs = vec![greeting(errand.contact)];
        paragraphs.extend(match language {
            Language::Portuguese => portuguese(matter, order),
            Language::English => english(matter, order),
        });
        paragraphs.extend(sender.map(str::to_owned));
        Self {
            subject: subject(language, matter, order),
            plain: paragraphs.join("\n\n"),
            html: html(language, &paragraphs),
        }
    }
}

impl Matter<'_> {
    fn payment(&self) -> &Payment {
        match self {
            Self::Paid(payment) | Self::Failed(payment) | Self::Refunded(payment) => payment,
        }
    }
}

fn greeting(contact: &Contact) -> String {
    let hello = match contact.language {
        Language::Portuguese => "Olá",
        Language::English => "Hello",
    };
    match contact.full_name.as_ref().map(|name| name.given()).filter(|name| is_name(name)) {
        Some(name) => format!("{hello}, {name}!"),
        None => format!("{hello}!"),
    }
}

/// Anybody can type anything into a form and have us send it to anybody: what mail programs would
/// turn into a link, which takes dots, colons, slashes or digits, is no name.
fn is_name(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphabetic() || c == '-' || c == '\'' || !c.is_ascii();
    word.chars().count() <= 40 && word.chars().all(fits)
}

fn subject(language: Language, matter: Matter<'_>, order: Option<&Order>) -> String {
    let about = order.map(|order| format!(": {}", order.product_name)).unwrap_or_default();
    let what = match (language, matter) {
        (Language::Portuguese, Matter::Paid(_)) => "Recebemos o seu pagamento",
        (Language::Portuguese, Matter::Failed(_)) => "O seu pagamento não foi concluído",
        (Language::Portuguese, Matter::Refunded(_)) => "O seu reembolso",
        (Language::English, Matter::Paid(_)) => "We have received your payment",
        (Language::English, Matter::Failed(_)) => "Your payment did not go through",
        (Language::English, Matter::Refunded(_)) => "Your refund",
    };
    format!("{what}{about}")
}

fn portuguese(matter: Matter<'_>, order: Option<&Order>) -> Vec<String> {
    let sum = amount(matter.payment().amount, Language::Portuguese);
    let reference = format!("Referência do pagamento: {}", matter.payment().payment_intent);
    match matter {
        Matter::Paid(_) => {
            let mut told = vec![format!("Recebemos o seu pagamento de {sum}. Obrigado!")];
            told.extend(order.map(|order| bought(order, Language::Portuguese)));
            told.push("Esta mensagem confirma o pagamento e não substitui a fatura.".to_owned());
            told.push(reference);
            told
        }
        Matter::Failed(_) => vec![
            format!("O seu pagamento de {sum} não foi concluído e nada lhe foi cobrado."),
            "Pode tentar de novo na nossa página, com o mesmo ou com outro meio de pagamento."
                .to_owned(),
            reference,
        ],
        Matter::Refunded(_) => vec![
            format!("Devolvemos-lhe {sum}."),
            "O valor costuma chegar à sua conta em 5 a 10 dias úteis, conforme o seu banco."
                .to_owned(),
            reference,
        ],
    }
}

fn english(matter: Matter<'_>, order: Option<&Order>) -> Vec<String> {
    let sum = amount(matter.payment().amount, Language::English);
    let reference = format!("Payment reference: {}", matter.payment().payment_intent);
    match matter {
        Matter::Paid(_) => {
            let mut told = vec![format!("We have received your payment of {sum}. Thank you!")];
            told.extend(order.map(|order| bought(order, Language::English)));
            told.push("This message confirms the payment and does not replace the invoice.".into());
            told.push(reference);
            told
        }
        Matter::Failed(_) => vec![
            format!("Your payment of {sum} did not go through, and you have not been charged."),
            "You can try again on our page, with the same or another means of payment.".to_owned(),
            reference,
        ],
        // 5 to 10 business days: https://docs.stripe.com/refunds
        Matter::Refunded(_) => vec![
            format!("We have refunded you {sum}."),
            "It usually arrives in 5 to 10 business days, depending on your bank.".to_owned(),
            reference,
        ],
    }
}

fn bought(order: &Order, language: Language) -> String {
    let price = amount(order.unit_price, language);
    format!("{} × {} ({price})", order.quantity, order.product_name)
}

fn html(language: Language, paragraphs: &[String]) -> String {
    let body: String = paragraphs.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
    let tag = language.tag();
    format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"></head><body>{body}</body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::{escaped, is_name};

    #[test]
    fn what_a_mail_program_would_link_is_no_name() {
        for name in ["Ana", "Zoë", "O’Neill", "Anne-Marie", "Ольга", "अमृता"] {
            assert!(is_name(name), "{name}");
        }
        for word in ["http://example.com", "example.com", "ana@example.com", "www.a", "Ana1"] {
            assert!(!is_name(word), "{word}");
        }
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(escaped("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
