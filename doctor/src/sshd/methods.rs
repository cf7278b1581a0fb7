//! Which methods, in which order, sshd wants before it lets somebody in.

use super::config::Config;

/// A method of sshd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// A key.
    PublicKey,
    /// The `password` method: one answer to everything.
    Password,
    /// Questions, asked by PAM.
    Questions,
    /// Something else, by its name.
    Other(String),
}

impl Method {
    fn of(name: &str) -> Self {
        match name.split(':').next().unwrap_or_default() {
            "publickey" => Self::PublicKey,
            "password" => Self::Password,
            "keyboard-interactive" => Self::Questions,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::PublicKey => "publickey",
            Self::Password => "password",
            Self::Questions => "keyboard-interactive",
            Self::Other(name) => name,
        }
    }

    fn is_enabled(&self, config: &Config, block: Option<usize>) -> bool {
        let keyword = match self {
            Self::PublicKey => "pubkeyauthentication",
            Self::Password => "passwordauthentication",
            Self::Questions => "kbdinteractiveauthentication",
            Self::Other(name) if name == "hostbased" => "hostbasedauthentication",
            Self::Other(name) if name == "gssapi-with-mic" => "gssapiauthentication",
            Self::Other(_) => return false,
        };
        config.is_on(keyword, block)
    }
}

/// What `AuthenticationMethods` says; none where any method will do.
#[must_use]
pub fn written(config: &Config, block: Option<usize>) -> Option<Vec<Vec<Method>>> {
    let setting = config.value("authenticationmethods", block)?;
    let lists: Vec<Vec<Method>> =
        setting.arguments.iter().map(|list| list.split(',').map(Method::of).collect()).collect();
    let is_any = setting.arguments.first().is_some_and(|word| word.eq_ignore_ascii_case("any"));
    (!is_any).then_some(lists)
}

/// The lists of methods of which one must succeed whole. A list with a method that is switched off lets nobody in.
#[must_use]
pub fn lists(config: &Config, block: Option<usize>) -> Vec<Vec<Method>> {
    let all = ["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic"];
    let lists =
        written(config, block).unwrap_or_else(|| all.iter().map(|name| vec![Method::of(name)]).collect());
    lists.into_iter().filter(|list| list.iter().all(|method| method.is_enabled(config, block))).collect()
}

/// Seconds of a time of sshd_config(5), such as `2m` or `1h30m`; none where it is no time.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number: u64 = rest.strip_suffix(after)?.parse().ok()?;
        let unit = after.chars().next();
        let factor = match unit.map(|c| c.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = after.get(unit.map_or(0, char::len_utf8)..)?;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_those_of_sshd() {
        for (text, expected) in [
            ("120", Some(120)),
            ("2m", Some(120)),
            ("1h30M", Some(5_400)),
            ("0", Some(0)),
            ("", None),
            ("soon", None),
            ("2y", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
