//! Whether a text is, or holds, an e-mail address; deliberately simple, as vendors' own checks are.

use percent_encoding::percent_decode_str;

/// True for `local@domain.tld` without spaces, with labels that a host name may have.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let whole = text.len() <= 254 && !local.is_empty() && local.len() <= 64;
    whole && !local.chars().any(forbidden_in_local) && is_domain(domain)
}

/// True when some word inside `text` is an e-mail address, percent-encoded or not.
pub(crate) fn occurs_in(text: &str) -> bool {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    decoded
        .split(|letter: char| letter.is_whitespace() || "\"'<>()[]{},;:?&=/".contains(letter))
        .any(is_address)
}

fn forbidden_in_local(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || "@,;:<>()[]\"\\".contains(letter)
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let well_formed = labels.iter().all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    });
    let top = labels.last().copied().unwrap_or_default();
    well_formed
        && labels.len() >= 2
        && top.chars().count() >= 2
        && !top.chars().all(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::{is_address, occurs_in};

    #[test]
    fn an_address_has_a_local_part_and_a_domain_with_a_dot() {
        assert!(is_address("ana.silva+curso@example.pt"));
        for text in ["ana", "ana@", "@example.pt", "ana@example", "a b@example.pt", "a@b..pt"] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn an_address_is_found_inside_a_url() {
        assert!(occurs_in("https://example.pt/obrigado?email=ana.silva@example.pt&x=1"));
        assert!(occurs_in("https://example.pt/obrigado?email=ana.silva%40example.pt"));
        assert!(!occurs_in("https://example.pt/@ana"));
    }
}
