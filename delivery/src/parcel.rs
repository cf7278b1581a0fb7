//! A message as a gateway gets it.

use common::address::{Address, Channel};
use common::gateway::Value;
use common::{MessageId, Secret};
use data_encoding::BASE64;

/// A message as a gateway gets it.
#[derive(Clone)]
pub struct Parcel {
    /// The same each time that it is tried.
    pub id: MessageId,
    /// How it goes.
    pub channel: Channel,
    /// Where it goes.
    pub to: Address,
    /// The user.
    pub user: String,
    /// The subject, for mail.
    pub subject: String,
    /// The text.
    pub text: Secret,
    /// The code, where it has one.
    pub code: Option<Secret>,
}

/// The name and password of a gateway.
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) username: Option<&'a str>,
    pub(crate) password: Option<&'a Secret>,
}

impl Parcel {
    /// Gives a value to whoever escapes it for its place.
    pub(crate) fn with(&self, value: Value, sign_in: SignIn<'_>, give: impl FnOnce(&str)) {
        let number = match &self.to {
            Address::Mobile(number) | Address::Office(number, _) => Some(number.as_str()),
            Address::Email(_) => None,
        };
        let whole = match &self.to {
            Address::Mobile(number) | Address::Office(number, _) => number.as_str(),
            Address::Email(address) => address.as_str(),
        };
        let extension = match &self.to {
            Address::Office(_, Some(extension)) => extension.as_str(),
            Address::Office(_, None) | Address::Mobile(_) | Address::Email(_) => "",
        };
        match value {
            Value::To => give(whole),
            Value::Digits => give(number.unwrap_or_default().trim_start_matches('+')),
            Value::Extension => give(extension),
            Value::Channel => give(self.channel.name()),
            Value::Id => give(&self.id.to_string()),
            Value::Text => give(self.text.expose_text().unwrap_or_default()),
            Value::Code => give(self.code.as_ref().and_then(Secret::expose_text).unwrap_or_default()),
            Value::Subject => give(&self.subject),
            Value::User => give(&self.user),
            Value::Username => give(sign_in.username.unwrap_or_default()),
            Value::Password => give(sign_in.text()),
            Value::Basic => {
                let pair = zeroize::Zeroizing::new(format!(
                    "{}:{}",
                    sign_in.username.unwrap_or_default(),
                    sign_in.text()
                ));
                give(&zeroize::Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes()))));
            }
        }
    }
}

impl SignIn<'_> {
    fn text(&self) -> &str {
        self.password.and_then(Secret::expose_text).unwrap_or_default()
    }
}
