//! Records that did not reach syslog: how many they were is a record itself.

use audit::{Lost, SyslogSink};
use common::engine::Engine;

/// Records how many they were since the last time.
pub(crate) fn tell(engine: &Engine, sink: &SyslogSink) {
    if let Some(Lost { count, since }) = sink.take_lost() {
        engine.record_lost(count, since);
    }
}
