//! Numbers as texts, whose digits are kept.

/// The parts of a number. Its value is `digits` × 10^(`exponent` − number of `fraction` digits).
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    /// `None` if it does not fit.
    exponent: Option<i64>,
}

fn parts(number: &str) -> Parts<'_> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()),
        None => (number, Some(0)),
    };
    let (negative, magnitude) = match mantissa.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, mantissa),
    };
    let (integer, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    Parts { negative, integer, fraction, exponent }
}

/// The number of characters of a number that is written without an exponent.
pub fn written_out(number: &str) -> usize {
    let Parts { negative, integer, fraction, exponent: Some(exponent) } = parts(number) else { return usize::MAX };
    let shift = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    let (before, after) = if exponent >= 0 {
        (integer.len().saturating_add(shift), fraction.len().saturating_sub(shift))
    } else {
        (integer.len().saturating_sub(shift).max(1), fraction.len().saturating_add(shift))
    };
    let point = usize::from(after > 0);
    before.saturating_add(after).saturating_add(point + usize::from(negative))
}

/// The one form of all numbers of this value: `31.40e-1` and `3.14` are `314e-2`. A number whose exponent has more than
/// eighteen digits is its own form.
pub fn canonical_number(number: &str) -> String {
    let Parts { negative, integer, fraction, exponent } = parts(number);
    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let shift = i64::try_from(zeros).ok().zip(i64::try_from(fraction.len()).ok()).map(|(zeros, after)| zeros - after);
    match exponent.zip(shift).and_then(|(exponent, shift)| exponent.checked_add(shift)) {
        Some(exponent) => format!("{}{significant}e{exponent}", if negative { "-" } else { "" }),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_value_have_one_form() {
        for same in [
            vec!["3.14", "31.40e-1", "0.314E+1", "314e-2", "3.140"],
            vec!["0", "-0", "0.000", "-0e5", "0e-400"],
            vec!["1000", "1e3", "1E+3", "10.00e2"],
            vec!["-1E-400", &format!("-0.{}1", "0".repeat(399))],
        ] {
            let forms: Vec<String> = same.iter().map(|number| canonical_number(number)).collect();
            assert!(forms.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?}");
        }
        for (one, other) in [
            ("12345678901234567890123", "12345678901234567890124"),
            ("3.14159265358979323846", "3.14159265358979323847"),
            ("1", "-1"),
            ("1e400", "1e401"),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert_ne!(canonical_number(one), canonical_number(other));
        }
    }

    #[test]
    fn the_written_out_length_is_that_of_the_number_without_exponent() {
        for (number, expected) in [
            ("0", "0"),
            ("-12.50", "-12.50"),
            ("1e3", "1000"),
            ("-1.5e3", "-1500"),
            ("1.23456e2", "123.456"),
            ("1E-4", "0.0001"),
            ("12.5e-1", "1.25"),
            ("125e-2", "1.25"),
            ("-12.5e-4", "-0.00125"),
        ] {
            assert_eq!(written_out(number), expected.len(), "{number}");
        }
        assert_eq!(written_out("1E-400"), 402);
        assert_eq!(written_out("1e9223372036854775807"), 1 << 63);
        assert_eq!(written_out("1e99999999999999999999999"), usize::MAX);
    }
}
