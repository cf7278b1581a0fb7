//! One list of the records of several streams. The chain knows the order within a stream, clocks know it across streams,
//! to a second.

use std::collections::{BTreeMap, VecDeque};

use assembly::MAIN_STREAM;
use common::UnixTime;

/// Merges streams by time and never changes the order within one. Of one second, acts at this desk come first: a login
/// that they made possible comes after them.
pub(super) fn merged<T>(mut records: Vec<T>, place: impl Fn(&T) -> (&String, u64, UnixTime)) -> Vec<T> {
    records.sort_by_key(|record| place(record).1);
    let count = records.len();
    let mut streams: BTreeMap<String, VecDeque<T>> = BTreeMap::new();
    for record in records {
        streams.entry(place(&record).0.clone()).or_default().push_back(record);
    }
    let mut merged = Vec::with_capacity(count);
    loop {
        let heads = streams.iter().filter_map(|(stream, queue)| {
            let (_, _, at) = place(queue.front()?);
            Some((at, stream != MAIN_STREAM, stream.clone()))
        });
        let Some((_, _, stream)) = heads.min() else { return merged };
        merged.extend(streams.get_mut(&stream).and_then(VecDeque::pop_front));
    }
}

#[cfg(test)]
mod tests {
    use common::UnixTime;

    use super::merged;

    fn order(records: &[(&str, u64, u64)]) -> String {
        let records = records
            .iter()
            .map(|(stream, sequence, at)| ((*stream).to_owned(), *sequence, UnixTime::from_seconds(*at)));
        let merged = merged(records.collect(), |(stream, sequence, at)| (stream, *sequence, *at));
        let names = merged.iter().map(|(stream, sequence, _)| format!("{stream}{sequence}"));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_one_second_acts_come_before_logins_and_streams_keep_their_order() {
        let records =
            [("radius", 2, 10), ("radius", 1, 10), ("main", 8, 10), ("main", 7, 10), ("local", 90, 9)];
        assert_eq!(order(&records), "local90 main7 main8 radius1 radius2");
    }

    #[test]
    fn a_clock_that_was_set_back_tears_no_stream_apart() {
        let records = [("main", 1, 10), ("main", 2, 5), ("main", 3, 11), ("radius", 1, 6), ("radius", 2, 12)];
        assert_eq!(order(&records), "radius1 main1 main2 main3 radius2");
    }
}
