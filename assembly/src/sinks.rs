//! Where records go besides the store, from the settings.

use audit::{Destination, Format, Origin, Renderer};
use config::words::{Facility, SyslogFormat};
use config::{Settings, SyslogTarget};

/// The collector and the form of its lines.
pub(crate) fn collector(settings: &Settings, program: &str) -> (Destination, Renderer) {
    let syslog = &settings.audit.syslog;
    let facility = facility(syslog.facility);
    let (destination, origin) = match &syslog.target {
        SyslogTarget::Unix(path) => (Destination::Unix(path.clone()), Origin::local(facility, program)),
        SyslogTarget::Udp(address) => (Destination::Udp(*address), Origin::of_this_host(facility, program)),
        SyslogTarget::Tcp(address) => (Destination::Tcp(*address), Origin::of_this_host(facility, program)),
    };
    let format = match syslog.format {
        SyslogFormat::Rfc5424 => Format::Rfc5424,
        SyslogFormat::Rfc3164 => Format::Rfc3164,
    };
    (destination, Renderer::new(format, origin))
}

const fn facility(facility: Facility) -> audit::Facility {
    match facility {
        Facility::Authpriv => audit::Facility::LOG_AUTHPRIV,
        Facility::Auth => audit::Facility::LOG_AUTH,
        Facility::Daemon => audit::Facility::LOG_DAEMON,
        Facility::User => audit::Facility::LOG_USER,
        Facility::Local0 => audit::Facility::LOG_LOCAL0,
        Facility::Local1 => audit::Facility::LOG_LOCAL1,
        Facility::Local2 => audit::Facility::LOG_LOCAL2,
        Facility::Local3 => audit::Facility::LOG_LOCAL3,
        Facility::Local4 => audit::Facility::LOG_LOCAL4,
        Facility::Local5 => audit::Facility::LOG_LOCAL5,
        Facility::Local6 => audit::Facility::LOG_LOCAL6,
        Facility::Local7 => audit::Facility::LOG_LOCAL7,
    }
}
