//! What the log hears of counted records and heads of chains that cannot be written: when that begins, when it becomes
//! something else, and when it is over.

use std::sync::{Mutex, PoisonError};

use super::Log;

/// Where the heads of the chains of records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// With syslog, and what was counted is in the store.
    Sent,
    /// Still here: the store cannot be used.
    Waiting,
}

/// What they wait for, as it was said last.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Option<String>>);

/// What is worth saying.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Trouble(String),
    Over,
}

impl Waiting {
    pub(super) fn tell(&self, log: Log, trouble: Option<String>) {
        match self.news(trouble) {
            Some(News::Trouble(trouble)) => {
                log.error(&format!("counted records and the heads of the chains wait: {trouble}"));
            }
            Some(News::Over) => {
                log.warning(
                    "the store answers again: counted records and the heads of the chains wait no more",
                );
            }
            None => {}
        }
    }

    fn news(&self, now: Option<String>) -> Option<News> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *said == now {
            return None;
        }
        said.clone_from(&now);
        Some(now.map_or(News::Over, News::Trouble))
    }
}

#[cfg(test)]
mod tests {
    use super::{News, Waiting};

    #[test]
    fn a_trouble_is_said_once_and_so_is_its_end() {
        let (waiting, damaged) = (Waiting::default(), || Some("damaged".to_owned()));
        assert_eq!(waiting.news(None), None, "nothing has been wrong yet");
        assert_eq!(waiting.news(damaged()), Some(News::Trouble("damaged".to_owned())));
        assert_eq!(waiting.news(damaged()), None);
        assert_eq!(waiting.news(Some("gone".to_owned())), Some(News::Trouble("gone".to_owned())));
        assert_eq!(waiting.news(None), Some(News::Over));
        assert_eq!(waiting.news(None), None);
        assert_eq!(waiting.news(damaged()), Some(News::Trouble("damaged".to_owned())));
    }
}
