//! The header that carries a key.

use domain::fault::{Fault, Remedy, Seen};
use http::{HeaderMap, HeaderValue, header};

/// `Authorization: Bearer …`, marked so that `Debug` does not show it.
///
/// # Errors
/// A setup fault where the key holds what no header can: it was pasted wrong.
pub fn bearer(key: &str) -> Result<HeaderMap, Fault> {
    let unusable =
        |_| Fault { remedy: Remedy::Setup, seen: Seen::code("key_holds_control_characters") };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(unusable)?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_key_is_not_shown_and_a_broken_one_is_a_matter_of_setup() {
        let headers = bearer("sk_1\n").unwrap();
        assert_eq!(headers["authorization"], "Bearer sk_1");
        assert!(!format!("{headers:?}").contains("sk_1"));
        assert!(bearer("sk\n1").is_err());
    }
}
