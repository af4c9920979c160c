//! Signatures: what Stripe would send is taken, and everything else is refused before it is read.

use super::{LONGEST_HEADER, MOST_PARTS, Refused, SigningSecrets, sign, verify};
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::SecretString;

const SECRET: &str = "whsec_0123456789abcdefABCDEF";
const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
/// Computed with Python's hmac module over `1700000000.` and the body.
const SIGNATURE: &str = "3b5852719e95b0e754d2067dc9b986f81de38e12eaa239e9982e3a041024fb08";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn secrets() -> SigningSecrets {
    SigningSecrets::parse(SECRET).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn outcome(header: &str) -> Result<(), Refused> {
    verify(Some(header), BODY, &secrets(), at(1_700_000_000)).map(|_| ())
}

#[test]
fn a_header_as_stripe_writes_it_is_taken() {
    for header in [
        format!("t=1700000000,v1={SIGNATURE}"),
        format!("t=1700000000,v1={SIGNATURE},v0={ZEROS}"),
        format!("v1={SIGNATURE},t=1700000000"),
        format!("t=1700000000,v1={ZEROS},v1={SIGNATURE}"),
        format!("t=1700000000,v1={SIGNATURE},v1={ZEROS}"),
        format!("t=1700000000,v1={SIGNATURE},v1={SIGNATURE}"),
        format!("t=1700000000,v1={SIGNATURE},v2=whatever=comes,scheme="),
    ] {
        assert_eq!(outcome(&header), Ok(()), "{header}");
    }
}

#[test]
fn a_header_that_stripe_would_not_write_is_refused_for_its_reason() {
    let long = format!("t=1700000000,v1={SIGNATURE},x={}", "x".repeat(LONGEST_HEADER));
    let many = format!("t=1700000000{}", format!(",v1={SIGNATURE}").repeat(MOST_PARTS));
    for (header, refused) in [
        (String::new(), Refused::Malformed),
        (",".to_owned(), Refused::Malformed),
        ("t=1700000000".to_owned(), Refused::NoKnownScheme),
        (format!("t=1700000000,v0={SIGNATURE}"), Refused::NoKnownScheme),
        (format!("v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=+1700000000,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=-1700000000,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=1700000000.0,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=１７０００００００,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=99999999999999999999999,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=1700000000,t=1700000000,v1={SIGNATURE}"), Refused::Malformed),
        (format!("t=1700000000,v1={SIGNATURE},stray"), Refused::Malformed),
        (format!("t=1700000000, v1={SIGNATURE}"), Refused::NoKnownScheme),
        (format!("t=1700000000;v1={SIGNATURE}"), Refused::Malformed),
        ("t=1700000000,v1=".to_owned(), Refused::Malformed),
        (format!("t=1700000000,v1={}", &SIGNATURE[..62]), Refused::Malformed),
        (format!("t=1700000000,v1={SIGNATURE}00"), Refused::Malformed),
        (format!("t=1700000000,v1={}", SIGNATURE.to_uppercase()), Refused::Malformed),
        (format!("t=1700000000,v1={}", "zz".repeat(32)), Refused::Malformed),
        (format!("t=1700000000,v1={ZEROS}"), Refused::Mismatch),
        (format!("t=1700000001,v1={SIGNATURE}"), Refused::Mismatch),
        (format!("t=01700000000,v1={SIGNATURE}"), Refused::Mismatch),
        (long, Refused::TooLong),
        (many, Refused::TooLong),
    ] {
        assert_eq!(outcome(&header), Err(refused), "{header:.120}");
    }
    assert_eq!(
        verify(None, BODY, &secrets(), at(1_700_000_000)).map(|_| ()),
        Err(Refused::Missing)
    );
}

#[test]
fn a_header_at_its_limits_is_read() {
    let known = format!("t=1700000000,v1={SIGNATURE}");
    let longest = format!("{known},x={}", "x".repeat(LONGEST_HEADER - known.len() - 3));
    assert_eq!((longest.len(), outcome(&longest)), (LONGEST_HEADER, Ok(())));
    let most = format!("{known}{}", ",x=".repeat(MOST_PARTS - 2));
    assert_eq!((most.split(',').count(), outcome(&most)), (MOST_PARTS, Ok(())));
    let digits = |digits: usize| outcome(&format!("t={},v1={SIGNATURE}", "9".repeat(digits)));
    assert_eq!((digits(12), digits(13)), (Err(Refused::Stale), Err(Refused::Malformed)));
}

#[test]
fn only_a_signature_that_does_not_fit_may_be_an_old_secrets() {
    let others = [
        Refused::Missing,
        Refused::TooLong,
        Refused::Malformed,
        Refused::NoKnownScheme,
        Refused::Stale,
    ];
    assert!(Refused::Mismatch.may_be_an_old_secret());
    assert!(!others.into_iter().any(Refused::may_be_an_old_secret));
}

#[test]
fn a_signature_counts_for_five_minutes_either_way() {
    let header = format!("t=1700000000,v1={SIGNATURE}");
    for (now, taken) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let result = verify(Some(&header), BODY, &secrets(), at(1_700_000_000 + now));
        let expected = if taken { Ok(()) } else { Err(Refused::Stale) };
        assert_eq!(result.map(|_| ()), expected, "{now}");
    }
}

#[test]
fn a_body_that_was_changed_in_any_byte_is_refused() {
    let header = format!("t=1700000000,v1={SIGNATURE}");
    for place in 0..BODY.len() {
        let mut body = BODY.to_vec();
        body[place] ^= 1;
        let result = verify(Some(&header), &body, &secrets(), at(1_700_000_000));
        assert_eq!(result.map(|_| ()), Err(Refused::Mismatch), "byte {place}");
    }
    for body in [&BODY[..BODY.len() - 1], b"", br#"{"id": "evt_1", "object": "event"}"#] {
        let result = verify(Some(&header), body, &secrets(), at(1_700_000_000));
        assert_eq!(result.map(|_| ()), Err(Refused::Mismatch));
    }
}

#[test]
fn while_a_secret_is_rolled_either_one_is_taken() {
    let header = format!("t=1700000000,v1={SIGNATURE}");
    for rolled in [
        format!("whsec_newnewnewnewnewnew, {SECRET}\n"),
        format!("{SECRET} whsec_newnewnewnewnewnew"),
    ] {
        let both = SigningSecrets::parse(&rolled).unwrap();
        assert!(verify(Some(&header), BODY, &both, at(1_700_000_000)).is_ok());
    }
    let new = SigningSecrets::parse("whsec_newnewnewnewnewnew").unwrap();
    assert!(verify(Some(&header), BODY, &new, at(1_700_000_000)).is_err());
}

#[test]
fn a_secret_that_anybody_could_guess_is_none() {
    for text in [
        "",
        " ",
        "\n\t",
        ",",
        " , ",
        "whsec_",
        "whsec_short",
        "sk_test_0123456789abcdef",
        "\"whsec_0123456789abcdef\"",
        "0123456789abcdef0123456789abcdef",
        "whsec_0123456789\u{200b}abcdef",
        "whsec_0123456789abcdef,whsec_",
    ] {
        assert!(SigningSecrets::parse(text).is_err(), "{text:?}");
    }
    assert!(SigningSecrets::parse(&format!("{SECRET} ").repeat(9)).is_err());
    assert!(SigningSecrets::parse(&format!("{SECRET} ").repeat(8)).is_ok());
    assert!(SigningSecrets::parse("whsec_0123456789abcde").is_err());
    assert!(SigningSecrets::parse("whsec_0123456789abcdef").is_ok());
    let shown = format!("{:?}", secrets());
    assert!(!shown.contains("0123456789"), "{shown}");
}

fn signed(time: &str, body: &[u8]) -> String {
    hex::encode(sign(&SecretString::from(SECRET), time, body).unwrap())
}

proptest! {
    #[test]
    fn what_is_signed_now_is_taken_whatever_the_bytes(body: Vec<u8>, second in 0_i64..=4_000_000_000) {
        let header = format!("t={second},v1={}", signed(&second.to_string(), &body));
        prop_assert!(verify(Some(&header), &body, &secrets(), at(second)).is_ok());
    }

    #[test]
    fn no_header_at_all_makes_an_unsigned_body_pass(header in "\\PC{0,200}", body: Vec<u8>) {
        prop_assert!(verify(Some(&header), &body, &secrets(), at(1_700_000_000)).is_err());
    }

    #[test]
    fn no_header_of_stripes_grammar_makes_an_unsigned_body_pass(
        header in "(t=[0-9]{0,25}|v[0-9]=([0-9a-f]{2}){0,34}|[a-z]{0,3}=?)(,(t=1700000000|v1=[0-9a-f]{64}|v0=[0-9a-f]{64})){0,40}",
    ) {
        prop_assert!(verify(Some(&header), BODY, &secrets(), at(1_700_000_000)).is_err());
    }
}
