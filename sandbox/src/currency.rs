//! The currencies Stripe takes (docs.stripe.com/currencies), in its lower-case spelling.

/// True for a currency that Stripe presents, spelt in lower case.
pub(crate) fn is_known(code: &str) -> bool {
    KNOWN.split_ascii_whitespace().any(|known| known == code)
}

/// The smallest amount Stripe charges, in minor units, for the currencies where we know it
/// (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
pub(crate) fn minimum(code: &str) -> i64 {
    match code {
        "eur" | "usd" | "aud" | "brl" | "cad" | "chf" | "nzd" | "sgd" => 50,
        "gbp" => 30,
        "jpy" => 50,
        _ => 1,
    }
}

const KNOWN: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd \
    bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd \
    fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf \
    krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad \
    ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd \
    shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd \
    xof xpf yer zar zmw";
