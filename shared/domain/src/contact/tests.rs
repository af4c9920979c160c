//! What counts as a name, an address, a telephone number.

use super::{EmailAddress, FullName, Language, PhoneNumber};

#[test]
fn portuguese_numbers_with_and_without_country_code_become_e164() {
    for written in [
        "912345678",
        "912 345 678",
        "+351 912 345 678",
        "00351912345678",
        "351912345678",
        "(+351) 912-345-678",
    ] {
        let number = PhoneNumber::parse(written).unwrap();
        assert_eq!(number.expose(), "+351912345678", "{written}");
    }
    assert_eq!(PhoneNumber::parse("21 342 1234").unwrap().expose(), "+351213421234");
}

#[test]
fn numbers_of_other_countries_keep_their_code() {
    for (written, e164) in [
        ("+44 20 7946 0958", "+442079460958"),
        ("+55 11 96123-4567", "+5511961234567"),
        ("+1 650 253 0000", "+16502530000"),
        ("0034 612 34 56 78", "+34612345678"),
    ] {
        assert_eq!(PhoneNumber::parse(written).unwrap().expose(), e164, "{written}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for written in [
        "",
        "12",
        "abc",
        "+351 12",
        "+999 123456789",
        "9123456789123456789123456789123456789123456789",
    ] {
        assert!(PhoneNumber::parse(written).is_err(), "{written}");
    }
}

#[test]
fn a_number_that_was_kept_is_read_by_its_shape_alone() {
    for written in ["912345678", "+44 20 7946 0018", "+1 202-555-0143", "00351211234567"] {
        let parsed = PhoneNumber::parse(written).unwrap();
        assert_eq!(PhoneNumber::kept(parsed.expose()).unwrap().expose(), parsed.expose());
    }
    for text in ["", "+", "351912345678", "+0912345678", "+351 912345678", "+35191234567x"] {
        assert!(PhoneNumber::kept(text).is_err(), "{text}");
    }
    assert!(PhoneNumber::kept("+1234567890123456").is_err());
}

#[test]
fn addresses_are_trimmed_and_their_domain_is_lowered() {
    assert_eq!(
        EmailAddress::parse(" Ana.Silva@Example.PT ").unwrap().expose(),
        "Ana.Silva@example.pt"
    );
    assert_eq!(
        EmailAddress::parse("ana@café.example.pt").unwrap().expose(),
        "ana@xn--caf-dma.example.pt"
    );
    assert_eq!(
        EmailAddress::parse("\"ana silva\"@example.pt").unwrap().expose(),
        "\"ana silva\"@example.pt"
    );
    assert_eq!(EmailAddress::parse("Ana@example.pt").unwrap().identity(), "ana@example.pt");
}

#[test]
fn what_is_no_address_is_refused() {
    for written in [
        "",
        "ana",
        "@example.pt",
        "ana@",
        "ana@localhost",
        "a b@example.pt",
        "a@b@example.pt",
        "ana@exa mple.pt",
        ".a@example.pt",
        "a..b@example.pt",
        "ana@[127.0.0.1]",
        "ana@-x.pt",
        "ana@x-.pt",
        "ana@ex_ample.pt",
        "ana\n@example.pt",
    ] {
        assert!(EmailAddress::parse(written).is_err(), "{written:?}");
    }
}

#[test]
fn names_keep_every_script_and_lose_what_nobody_sees() {
    assert_eq!(
        FullName::parse("  Ana \u{200B}Sofia\u{202E}  Silva ").unwrap().expose(),
        "Ana Sofia Silva"
    );
    assert_eq!(FullName::parse("李 小龍").unwrap().given(), "李");
    assert_eq!(FullName::parse("Ana Sofia Silva").unwrap().family(), "Sofia Silva");
    assert!(FullName::parse("\u{200B} ").is_err());
    assert!(FullName::parse("\u{200D} \u{200D}").is_err());
    assert!(FullName::parse(&"a".repeat(201)).is_err());
}

#[test]
fn debug_prints_placeholders() {
    let shown = format!(
        "{:?} {:?} {:?}",
        EmailAddress::parse("ana.silva@example.pt"),
        PhoneNumber::parse("912345678"),
        FullName::parse("Ana")
    );
    assert_eq!(shown, "Ok([email]) Ok([phone]) Ok([name])");
}

#[test]
fn the_longest_addresses_are_taken_and_longer_ones_refused() {
    let local = |length: usize| "a".repeat(length);
    let domain = |last: usize| format!("{}.{}.{}", local(63), local(63), local(last));
    for (address, fits) in [
        (format!("{}@example.pt", local(64)), true),
        (format!("{}@example.pt", local(65)), false),
        (format!("{}@{}", local(64), domain(61)), true),
        (format!("{}@{}", local(64), domain(62)), false),
        (format!("ana@{}.pt", local(63)), true),
        (format!("ana@{}.pt", local(64)), false),
        ("\"ana silva\"@example.pt".to_owned(), true),
        ("\"ana silva@example.pt".to_owned(), false),
        ("\"\"@example.pt".to_owned(), false),
    ] {
        assert_eq!(EmailAddress::parse(&address).is_ok(), fits, "{address}");
    }
}

#[test]
fn a_number_may_be_written_with_so_many_characters() {
    let written = |blanks: usize| format!("912345678{}", " ".repeat(blanks));
    assert!(PhoneNumber::parse(&written(31)).is_ok());
    assert!(PhoneNumber::parse(&written(32)).is_err());
    assert!(PhoneNumber::parse(&written(33)).is_err());
}

#[test]
fn portuguese_is_portuguese_everywhere_and_all_else_is_english() {
    for (tag, language) in [("pt-PT", "pt-PT"), (" PT-br", "pt-PT"), ("en-GB", "en"), ("", "en")] {
        assert_eq!(Language::from_tag(tag).tag(), language, "{tag}");
    }
}
