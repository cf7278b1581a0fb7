//! Arguments that become types which cannot be wrong. What is refused here ends with exit code 2.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use common::account::{Role, State};
use common::acts::Label;
use common::username::UsernameError;
use common::{AppPasswordId, ContactId, FactorId, Username};

/// A user name.
pub(crate) fn username(text: &str) -> Result<Username, UsernameError> {
    Username::parse(text)
}

/// A label for a factor or app password.
pub(crate) fn label(text: &str) -> Result<Label, String> {
    Label::parse(text).ok_or_else(|| "a label has 1 to 64 characters and no control characters".to_owned())
}

/// The id of a factor, as `factor list` shows it.
pub(crate) fn factor_id(text: &str) -> Result<FactorId, String> {
    FactorId::parse(text)
        .ok_or_else(|| "an id has 16 hexadecimal digits; 'factor list' shows them".to_owned())
}

/// The id of a contact, as `contact list` shows it.
pub(crate) fn contact_id(text: &str) -> Result<ContactId, String> {
    ContactId::parse(text)
        .ok_or_else(|| "an id has 16 hexadecimal digits; 'contact list' shows them".to_owned())
}

/// The id of an app password, as `app-password list` shows it.
pub(crate) fn app_password_id(text: &str) -> Result<AppPasswordId, String> {
    AppPasswordId::parse(text)
        .ok_or_else(|| "an id has 16 hexadecimal digits; 'app-password list' shows them".to_owned())
}

/// The state of an account.
pub(crate) fn state() -> impl TypedValueParser<Value = State> {
    one_of(&State::ALL, State::name)
}

/// The role of an account.
pub(crate) fn role() -> impl TypedValueParser<Value = Role> {
    one_of(&Role::ALL, Role::name)
}

/// One word of those that stand for the variants of an enum.
pub(crate) fn one_of<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let meant = move |text: String| all.iter().copied().find(|value| name(*value) == text);
    PossibleValuesParser::new(all.iter().map(|value| name(*value)))
        .try_map(move |text| meant(text).ok_or("this word is not known"))
}
