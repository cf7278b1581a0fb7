//! The CSV file on its way into memory; `rows` reads what is in it.

use std::path::Path;

use common::username::Folding;

use super::rows::{self, Mistake, Row};
use crate::failure::Failure;
use crate::incoming;

/// Reads a file. An error is a file that cannot be read at all; mistakes are in its lines.
pub(super) fn read(path: &Path, folding: Folding) -> Result<(Vec<Row>, Vec<Mistake>), Failure> {
    let octets = incoming::read(path)?;
    rows::read(&octets, folding).map_err(|message| Failure::Columns { path: path.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::command::import::rows::FirstPassword;

    fn read_text(text: &[u8]) -> Result<(Vec<Row>, Vec<Mistake>), Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        read(file.path(), Folding::Exact)
    }

    fn mistakes(text: &[u8]) -> Vec<(u64, &'static str)> {
        let (rows, mistakes) = read_text(text).unwrap();
        assert!(rows.is_empty());
        mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect()
    }

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn a_line_may_bring_a_password_a_hash_or_neither() {
        let hash = "$6$rounds=5000$abcdefgh$4Mv8pH5WCb8N2qK3wQhYx0dSgLq7vUzR1tEjOiPnAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghij";
        let file = format!(
            "\u{feff}user,totp_secret,password,password_hash\nalice,{SECRET},\"correct, horse\",\nbob,,,{hash}\r\ncarol,,,\n"
        );
        let (rows, mistakes) = read_text(file.as_bytes()).unwrap();
        assert!(mistakes.is_empty(), "{}", mistakes[0].message);
        let [alice, bob, carol] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert!(
            matches!(&alice.password, FirstPassword::Plain(plain) if plain.expose() == b"correct, horse")
        );
        assert!(alice.totp_secret.as_ref().unwrap().expose() == b"12345678901234567890");
        assert!(matches!(&bob.password, FirstPassword::Hash(kept) if kept.expose() == hash));
        assert!(matches!(&carol.password, FirstPassword::None) && carol.totp_secret.is_none());
        assert_eq!([alice.line, bob.line, carol.line], [2, 3, 4]);
    }

    #[test]
    fn semicolons_of_a_spreadsheet_are_taken_as_the_first_line_has_them() {
        let (rows, mistakes) = read_text(b"user;password\nalice;correct, horse\n").unwrap();
        assert!(mistakes.is_empty() && rows.len() == 1);
        assert!(
            matches!(&rows[0].password, FirstPassword::Plain(plain) if plain.expose() == b"correct, horse")
        );
    }

    #[test]
    fn every_mistake_is_found_with_its_line_and_column() {
        let each = [
            ("user\n-rf\n".to_owned(), (2, "user")),
            ("user,password\n,secret\n".to_owned(), (2, "user")),
            (format!("user,password\nx,{}\n", "p".repeat(513)), (2, "password")),
            ("user,password_hash\nx,$1$abc$def\n".to_owned(), (2, "password_hash")),
            ("user,totp_secret\n\nx,not base32!\n".to_owned(), (3, "totp_secret")),
            ("user,totp_secret\nx,GEZDGNBV\n".to_owned(), (2, "totp_secret")),
            ("user,password\nx\n".to_owned(), (2, "")),
        ];
        for (text, place) in each {
            assert_eq!(mistakes(text.as_bytes()), [place], "{text}");
        }
        assert_eq!(mistakes(b"user,totp_secret\n\xff,\xff\n"), [(2, "user"), (2, "totp_secret")]);
    }

    #[test]
    fn a_name_that_stands_twice_is_a_mistake_of_the_second_line() {
        let (rows, mistakes) = read_text(b"user\nalice\nalice\n").unwrap();
        assert_eq!((rows.len(), mistakes.len()), (1, 1));
        assert_eq!(mistakes[0].message, "'alice' stands in line 2 already");
    }

    #[test]
    fn a_password_and_a_hash_in_one_line_are_refused() {
        let file = b"user,password,password_hash\nx,secret,$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n";
        assert_eq!(mistakes(file), [(2, "password_hash")]);
    }

    #[test]
    fn the_first_line_must_name_known_columns() {
        for text in ["alice,secret\n", "password\nx\n", "user,user\nx,y\n", ""] {
            assert!(matches!(read_text(text.as_bytes()), Err(Failure::Columns { .. })), "{text}");
        }
    }
}
