//! sshd_config as sshd reads it (sshd_config(5)): files included in the order of their names, the first value of a keyword
//! winning, and what a `Match` block says winning over what stands outside of blocks.

use std::path::{Path, PathBuf};

use super::line::{Line, lines};
use crate::limits::{SSHD_DEPTH_MAX, SSHD_LINES_MAX};
use crate::place::Place;
use crate::tree::{Contents, Tree};

/// Where it begins.
pub const MAIN_FILE: &str = "/etc/ssh/sshd_config";

/// A value of a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where it stands.
    pub place: Place,
    /// The line.
    pub text: String,
    /// The keyword, in small letters.
    pub keyword: String,
    /// The values.
    pub arguments: Vec<String>,
    /// In which block; none outside of blocks.
    pub block: Option<usize>,
}

/// A `Match` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins.
    pub place: Place,
    /// For whom it is, as it stands.
    pub criteria: Vec<String>,
    /// The block in which the file is included that has it.
    pub above: Option<usize>,
}

/// All of sshd_config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// All values, in the order in which sshd reads them.
    pub settings: Vec<Setting>,
    /// All blocks.
    pub blocks: Vec<Block>,
    /// Lines that sshd cannot read, with what is wrong.
    pub flaws: Vec<(Place, String)>,
}

impl Config {
    /// Reads it; none where there is no such file.
    #[must_use]
    pub fn load(tree: &Tree) -> Option<Self> {
        let main = Path::new(MAIN_FILE);
        tree.metadata(main)?;
        let mut config = Self::default();
        config.file(tree, main, None, 0);
        Some(config)
    }

    /// The value of a keyword in a block, or outside of blocks.
    #[must_use]
    pub fn value(&self, keyword: &str, block: Option<usize>) -> Option<&Setting> {
        let mut within = block;
        while let Some(number) = within {
            if let Some(found) = self.first(keyword, Some(number)) {
                return Some(found);
            }
            within = self.blocks.get(number).and_then(|block| block.above);
        }
        self.first(keyword, None)
    }

    /// Its first word, in small letters, or what sshd takes where nothing is written.
    #[must_use]
    pub fn word(&self, keyword: &str, block: Option<usize>) -> String {
        let written = self.value(keyword, block).and_then(|setting| setting.arguments.first());
        written.map_or_else(|| default_of(keyword).to_owned(), |word| word.to_ascii_lowercase())
    }

    /// Whether it says yes.
    #[must_use]
    pub fn is_on(&self, keyword: &str, block: Option<usize>) -> bool {
        self.word(keyword, block) == "yes"
    }

    fn first(&self, keyword: &str, block: Option<usize>) -> Option<&Setting> {
        self.settings.iter().find(|it| it.block == block && it.keyword == keyword)
    }

    /// A block that an included file begins ends with that file.
    fn file(&mut self, tree: &Tree, file: &Path, around: Option<usize>, depth: usize) {
        let text = match tree.read(file) {
            Contents::Text(text) => text,
            Contents::Absent => return,
            Contents::Unreadable(why) => return self.flaws.push((Place::whole(file), why)),
        };
        let mut block = around;
        for line in lines(&text) {
            let place = Place::new(file, line.number);
            if self.settings.len() >= SSHD_LINES_MAX {
                return self.flaws.push((place, format!("there are more than {SSHD_LINES_MAX} lines")));
            }
            self.look_at(&place, &line);
            match line.keyword.as_str() {
                "match" => {
                    block = Some(self.blocks.len());
                    self.blocks.push(Block { place, criteria: line.arguments, above: around });
                }
                "include" if depth >= SSHD_DEPTH_MAX => {
                    self.flaws.push((place, "files include each other too deep".to_owned()));
                }
                "include" => {
                    for included in line.arguments.iter().flat_map(|pattern| matching(tree, pattern)) {
                        self.file(tree, &included, block, depth.saturating_add(1));
                    }
                }
                keyword => {
                    let keyword = of_today(keyword).to_owned();
                    self.settings.push(Setting {
                        place,
                        text: line.text,
                        keyword,
                        arguments: line.arguments,
                        block,
                    });
                }
            }
        }
    }

    fn look_at(&mut self, place: &Place, line: &Line) {
        if line.broken {
            self.flaws.push((place.clone(), format!("`{}`: a quote is never closed", line.text)));
        } else if line.arguments.is_empty() {
            self.flaws.push((place.clone(), format!("`{}`: nothing stands behind the keyword", line.text)));
        } else if let Some(allowed) = allowed_words(of_today(&line.keyword)) {
            let word = line.arguments.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
            if !allowed.contains(&word.as_str()) {
                let allowed = allowed.join(", ");
                self.flaws.push((place.clone(), format!("`{}`: sshd takes {allowed}", line.text)));
            }
        }
    }
}

/// Older names of keywords.
fn of_today(keyword: &str) -> &str {
    match keyword {
        "challengeresponseauthentication" | "skeyauthentication" => "kbdinteractiveauthentication",
        "dsaauthentication" => "pubkeyauthentication",
        other => other,
    }
}

/// What the keywords take of which a misspelt value is easy to miss.
fn allowed_words(keyword: &str) -> Option<&'static [&'static str]> {
    match keyword {
        "usepam"
        | "passwordauthentication"
        | "kbdinteractiveauthentication"
        | "pubkeyauthentication"
        | "permitemptypasswords"
        | "hostbasedauthentication"
        | "gssapiauthentication" => Some(&["yes", "no"]),
        "permitrootlogin" => {
            Some(&["yes", "no", "prohibit-password", "without-password", "forced-commands-only"])
        }
        _ => None,
    }
}

/// What sshd takes where nothing is written (sshd_config(5)).
fn default_of(keyword: &str) -> &'static str {
    match keyword {
        "passwordauthentication" | "kbdinteractiveauthentication" | "pubkeyauthentication" => "yes",
        "permitrootlogin" => "prohibit-password",
        "logingracetime" => "120",
        "authenticationmethods" => "any",
        "pamservicename" => "sshd",
        "forcecommand" | "chrootdirectory" => "none",
        _ => "no",
    }
}

/// The files of a pattern, in the order of their names; one that is relative is below /etc/ssh.
fn matching(tree: &Tree, pattern: &str) -> Vec<PathBuf> {
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let is_pattern = part.contains(['*', '?', '[']);
        found = found
            .into_iter()
            .flat_map(|folder| match is_pattern {
                false => vec![folder.join(part)],
                true => {
                    let names = tree.names(&folder).into_iter().filter(|name| fits(part, name));
                    names.map(|name| folder.join(name)).collect()
                }
            })
            .collect();
    }
    found.retain(|file| tree.metadata(file).is_some());
    found
}

/// Whether a name fits a pattern with `*` and `?` (glob(7)); names that begin with a dot want it written.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    // After each letter of the name, the places in the pattern that could have been reached.
    let mut places = vec![false; pattern.len().saturating_add(1)];
    if let Some(begin) = places.first_mut() {
        *begin = true;
    }
    pass_stars(&pattern, &mut places);
    for letter in name.chars() {
        let mut next = vec![false; places.len()];
        for (at, sign) in pattern.iter().enumerate().filter(|(at, _)| places.get(*at) == Some(&true)) {
            let to = match sign {
                '*' => at,
                '?' => at.saturating_add(1),
                sign if *sign == letter => at.saturating_add(1),
                _ => continue,
            };
            if let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        pass_stars(&pattern, &mut next);
        places = next;
    }
    places.last() == Some(&true)
}

fn pass_stars(pattern: &[char], places: &mut [bool]) {
    for (at, sign) in pattern.iter().enumerate() {
        if *sign == '*'
            && places.get(at) == Some(&true)
            && let Some(next) = places.get_mut(at.saturating_add(1))
        {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, name, is_fit) in [
            ("*.conf", "10-countersign.conf", true),
            ("*.conf", ".hidden.conf", false),
            ("*.conf", "10.conf.bak", false),
            ("?-*", "a-", true),
            ("*", "", true),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxcxxb", false),
        ] {
            assert_eq!(fits(pattern, name), is_fit, "{pattern} {name}");
        }
    }
}
