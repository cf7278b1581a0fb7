//! Record formats, syslog sinks and the verifier of the chain.
