//! Whose files are opened, how large they grow, and what stays open.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use common::bundle::{AccountChange, Bundle};
use common::ports::{Listing as _, Store as _, StoreError};

use super::support::{Yard, open, options};
use crate::conformance::samples::{account, applies, bundle, counting, insert, lane, load, record};
use crate::conformance::{Engine, Ground as _};
use crate::{Process, Sqlite, SqliteError};

fn refusal(path: &Path) -> SqliteError {
    match Sqlite::open(path, options("main", Process::ShortLived)).map(drop) {
        Err(StoreError::Unavailable { source, .. }) => *source.downcast().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_others_can_read_is_refused() {
    let yard = Yard::new(Process::ShortLived);
    for path in [yard.path.as_path(), yard.path.parent().unwrap()] {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(refusal(&yard.path), SqliteError::Mode { mode: 0o750, .. }), "{path:?}");
        fs::set_permissions(path, before).unwrap();
    }
    load(&yard.sqlite(), "alice");
}

#[test]
fn links_are_not_followed() {
    let yard = Yard::new(Process::ShortLived);
    let directory = yard.beside("linked");
    symlink(yard.path.parent().unwrap(), &directory).unwrap();
    let through = directory.join("countersign.db");
    assert!(matches!(refusal(&through), SqliteError::NotPlain { expected: "directory", .. }));
    let file = yard.path.with_file_name("linked.db");
    symlink(&yard.path, &file).unwrap();
    assert!(matches!(refusal(&file), SqliteError::NotPlain { expected: "file", .. }));
}

#[test]
fn another_owner_is_refused() {
    let yard = Yard::new(Process::ShortLived);
    let found = fs::metadata(&yard.path).unwrap().uid();
    let mut asked = options("main", Process::ShortLived);
    asked.owner = Some(found + 1);
    let Err(StoreError::Unavailable { source, .. }) = Sqlite::open(&yard.path, asked) else {
        panic!("it was opened");
    };
    let expected = format!("belongs to uid {found} instead of {}: chown it", found + 1);
    assert!(source.to_string().ends_with(&expected), "{source}");
}

/// Root signs people in at a store that belongs to the service's user. Only root can try this.
#[test]
fn what_root_makes_belongs_to_the_owner() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let service = 65_534;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store/countersign.db");
    Sqlite::create(&path, Some(service)).unwrap();
    let mut asked = options("main", Process::ShortLived);
    asked.owner = Some(service);
    let store = Sqlite::open(&path, asked).unwrap();
    insert(&store, account(1, "alice"));
    let entries: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), 7);
    for entry in entries {
        let metadata = entry.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (service, 0o600), "{:?}", entry.path());
    }
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().uid(), service);
}

#[test]
fn a_missing_store_is_an_error_and_an_existing_one_is_not_made_again() {
    let yard = Yard::new(Process::ShortLived);
    assert!(matches!(refusal(&yard.path.with_file_name("none.db")), SqliteError::Absent(_)));
    insert(&yard.sqlite(), account(1, "alice"));
    let Err(StoreError::Unavailable { operation, source, .. }) = Sqlite::create(&yard.path, None) else {
        panic!("it was made again");
    };
    assert_eq!(operation, format!("creating the store {}", yard.path.display()));
    assert!(source.to_string().contains("exists already"));
    assert!(load(&yard.sqlite(), "alice").account.is_some());
}

#[test]
fn every_file_is_private() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    insert(&store, account(1, "alice"));
    let directory = yard.path.parent().unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o7777, 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    let expected = ["", "-entrance", "-mark", "-queue", "-reserve", "-shm", "-wal"]
        .map(|suffix| format!("countersign.db{suffix}"));
    assert_eq!(names, expected);
    assert_eq!(fs::metadata(directory).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn a_newer_schema_is_refused_and_a_foreign_file_too() {
    let yard = Yard::new(Process::ShortLived);
    let raw = || rusqlite::Connection::open(&yard.path).unwrap();
    raw().pragma_update(None, "user_version", 1000).unwrap();
    let loaded = || yard.sqlite().load(&crate::conformance::samples::name("a"), &lane("a"), None);
    assert!(matches!(loaded(), Err(StoreError::Newer { found: 1000, .. })));
    raw().pragma_update(None, "user_version", crate::schema::MIGRATIONS.len()).unwrap();
    assert!(loaded().is_ok());
    raw().pragma_update(None, "application_id", 1).unwrap();
    assert!(matches!(loaded(), Err(StoreError::Damaged { .. })));
}

#[test]
fn nothing_is_held_after_a_release() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    let held = || {
        let links =
            fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        links.filter(|target| target.starts_with(yard.path.parent().unwrap())).count()
    };
    assert_eq!(held(), 0);
    load(&store, "alice");
    assert!(held() > 0);
    store.release();
    assert_eq!(held(), 0);
    load(&store, "alice");
}

#[test]
fn the_log_stays_short_over_many_short_lives() {
    let yard = Yard::new(Process::ShortLived);
    let log = yard.path.with_file_name("countersign.db-wal");
    let mut longest = 0;
    for at in 0..150 {
        let recording = Bundle { records: vec![record(at)], ..bundle(at) };
        assert!(applies(&*yard.open("main"), recording));
        longest = longest.max(fs::metadata(&log).map_or(0, |metadata| metadata.len()));
    }
    assert!(longest > 100_000, "nothing was left for the next process to read: {longest}");
    assert!(longest < 300_000, "{longest}");
}

#[test]
fn a_full_queue_is_unavailable_and_no_verdict() {
    let yard = Yard::new(Process::ShortLived);
    let queue = fs::File::open(yard.path.with_file_name("countersign.db-queue")).unwrap();
    queue.lock().unwrap();
    let store = open(&yard.path, Process::ShortLived);
    let Err(StoreError::Unavailable { source, .. }) = store.count(&counting("alice", 1)) else {
        panic!("it wrote out of turn");
    };
    assert!(matches!(source.downcast_ref(), Some(SqliteError::Queue { seconds: 5, .. })));
    queue.unlock().unwrap();
    assert_eq!(store.count(&counting("alice", 1)).unwrap().lane.failures, 1);
}

#[test]
fn a_probe_writes_in_turn_and_changes_nothing() {
    let yard = Yard::new(Process::LongLived);
    let store = yard.sqlite();
    let log = || fs::metadata(yard.path.with_file_name("countersign.db-wal")).map_or(0, |log| log.len());
    let (before, floor) = (log(), load(&store, "alice").floor);
    assert_eq!(store.probe().unwrap(), floor);
    assert!(log() > before, "nothing went to the disk");
    assert_eq!(load(&store, "alice").floor, floor);
    let queue = fs::File::open(yard.path.with_file_name("countersign.db-queue")).unwrap();
    queue.lock().unwrap();
    assert!(store.probe().is_err());
}

#[test]
fn readers_do_not_wait_for_the_writer() {
    let yard = Yard::new(Process::LongLived);
    let queue = fs::File::open(yard.path.with_file_name("countersign.db-queue")).unwrap();
    queue.lock().unwrap();
    let store: Box<dyn Engine> = yard.open("main");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| store.count(&counting("alice", 1)).unwrap().lane.failures);
        assert_eq!(load(&*store, "alice").lane.failures, 0);
        assert!(!writing.is_finished());
        queue.unlock().unwrap();
        assert_eq!(writing.join().unwrap(), 1);
    });
}

#[test]
fn an_error_in_the_middle_leaves_nothing_of_the_batch() {
    let yard = Yard::new(Process::ShortLived);
    let store = yard.sqlite();
    assert!(applies(&store, Bundle { records: vec![record(1)], ..bundle(1) }));
    let raw = rusqlite::Connection::open(&yard.path).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.sequence = 3
        BEGIN SELECT RAISE(ABORT, 'no space'); END";
    raw.execute_batch(full).unwrap();
    let new = AccountChange::Insert(Box::new(account(1, "alice")));
    let batch = [
        Bundle { account: Some(new), records: vec![record(2)], ..bundle(2) },
        Bundle { records: vec![record(3)], ..bundle(3) },
    ];
    let refused = store.commit(&batch);
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert_eq!(load(&store, "alice").account, None);
    assert_eq!(store.heads().unwrap()[0].sequence, 1);
    raw.execute_batch("DROP TRIGGER full").unwrap();
    assert!(store.commit(&batch).is_ok());
    assert_eq!(store.heads().unwrap()[0].sequence, 3);
}

#[test]
fn a_file_that_is_no_database_is_damage() {
    let yard = Yard::new(Process::ShortLived);
    fs::write(&yard.path, [b'x'; 8192]).unwrap();
    let refused = yard.sqlite().heads();
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
}
