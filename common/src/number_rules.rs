//! Which telephone numbers a site sends to: allowed countries and forbidden patterns. They are looked at when a number is
//! registered and again before anything is sent, since premium numbers are how codes are turned into money.

use crate::address::{Address, PhoneNumber};
use crate::shown_as_written::shown_as_written;

/// Digits of a prefix or pattern (E.164 numbers have at most 15).
const DIGITS_MAX: usize = 15;

/// What is decided of numbers for all accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberRules {
    /// Beginnings of the numbers that are allowed; `None`: every number. An empty list allows none.
    pub countries: Option<Vec<CountryPrefix>>,
    /// Numbers that are refused, whatever the countries say.
    pub forbidden: Vec<NumberPattern>,
}

/// Why a number is not sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberRefused {
    /// Its country is not allowed.
    #[error("numbers of this country are not used here")]
    Country,
    /// A pattern forbids it.
    #[error("this kind of number is not used here")]
    Forbidden,
}

impl NumberRules {
    /// Whether a number may be registered and sent to.
    pub fn check(&self, number: &PhoneNumber) -> Result<(), NumberRefused> {
        let is_allowed = |countries: &Vec<CountryPrefix>| countries.iter().any(|it| it.begins(number));
        if !self.countries.as_ref().is_none_or(is_allowed) {
            return Err(NumberRefused::Country);
        }
        match self.forbidden.iter().any(|pattern| pattern.fits(number)) {
            true => Err(NumberRefused::Forbidden),
            false => Ok(()),
        }
    }

    /// The same for an address; mail is no number.
    pub fn check_address(&self, address: &Address) -> Result<(), NumberRefused> {
        match address {
            Address::Mobile(number) | Address::Office(number, _) => self.check(number),
            Address::Email(_) => Ok(()),
        }
    }
}

/// How the numbers of a country begin: `+` and digits, such as `+49` or `+1212`.
#[derive(Clone, PartialEq, Eq)]
pub struct CountryPrefix(String);

impl CountryPrefix {
    /// Reads it; `None` where it is not `+` and 1 to 15 digits, the first not 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
        (fits && !digits.starts_with('0')).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn begins(&self, number: &PhoneNumber) -> bool {
        number.as_str().starts_with(&self.0)
    }
}

/// A pattern of numbers: `+` and digits, `?` for any one digit, and perhaps `*` at the end for any more of them.
#[derive(Clone, PartialEq, Eq)]
pub struct NumberPattern(String);

impl NumberPattern {
    /// Reads it; `None` where it is no such pattern.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('+')?;
        let body = rest.strip_suffix('*').unwrap_or(rest);
        let fits = (1..=DIGITS_MAX).contains(&body.len())
            && body.bytes().all(|it| it.is_ascii_digit() || it == b'?')
            && !body.starts_with('0');
        fits.then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn fits(&self, number: &PhoneNumber) -> bool {
        let (pattern, is_open) = match self.0.strip_suffix('*') {
            Some(body) => (body, true),
            None => (self.0.as_str(), false),
        };
        let number = number.as_str();
        let length_fits = if is_open { number.len() >= pattern.len() } else { number.len() == pattern.len() };
        let same = |(asked, digit): (u8, u8)| asked == b'?' || asked == digit;
        length_fits && pattern.bytes().zip(number.bytes()).all(same)
    }
}

shown_as_written!(CountryPrefix);
shown_as_written!(NumberPattern);

#[cfg(test)]
mod tests {
    use super::{CountryPrefix, NumberPattern, NumberRefused, NumberRules};
    use crate::address::PhoneNumber;

    fn check(countries: Option<&[&str]>, forbidden: &[&str], number: &str) -> Result<(), NumberRefused> {
        let countries =
            countries.map(|all| all.iter().map(|text| CountryPrefix::parse(text).unwrap()).collect());
        let forbidden = forbidden.iter().map(|text| NumberPattern::parse(text).unwrap()).collect();
        NumberRules { countries, forbidden }.check(&PhoneNumber::parse(number).unwrap())
    }

    #[test]
    fn without_rules_every_number_is_good_and_an_empty_list_allows_none() {
        assert_eq!(check(None, &[], "+4915112345678"), Ok(()));
        assert_eq!(check(Some(&[]), &[], "+4915112345678"), Err(NumberRefused::Country));
    }

    #[test]
    fn a_number_belongs_to_a_country_that_it_begins_with() {
        let countries: &[&str] = &["+49", "+1212"];
        assert_eq!(check(Some(countries), &[], "+4915112345678"), Ok(()));
        assert_eq!(check(Some(countries), &[], "+12125551234"), Ok(()));
        assert_eq!(check(Some(countries), &[], "+12135551234"), Err(NumberRefused::Country));
        assert_eq!(check(Some(countries), &[], "+4315112345"), Err(NumberRefused::Country));
    }

    #[test]
    fn a_forbidden_pattern_beats_an_allowed_country() {
        let forbidden = &["+4990*", "+49180?123456", "+4911833"];
        let says = |number| check(Some(&["+49"]), forbidden, number);
        assert_eq!(says("+49900123456"), Err(NumberRefused::Forbidden));
        assert_eq!(says("+491805123456"), Err(NumberRefused::Forbidden));
        assert_eq!(says("+4918051234567"), Ok(()), "a pattern without a star is a whole number");
        assert_eq!(says("+4911833"), Err(NumberRefused::Forbidden));
        assert_eq!(says("+49118330"), Ok(()));
        assert_eq!(says("+4915112345678"), Ok(()));
    }

    #[test]
    fn what_no_number_could_fit_is_no_pattern() {
        for text in ["", "+", "49", "+49*1", "*", "+*", "+4a", "+0*", "+1234567890123456*", "+49**"] {
            assert!(NumberPattern::parse(text).is_none(), "{text}");
        }
        for text in ["", "+", "49", "+49*", "+0", "+1234567890123456"] {
            assert!(CountryPrefix::parse(text).is_none(), "{text}");
        }
    }
}
