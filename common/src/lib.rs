//! The domain, the login machine, the ports and the engine of Countersign; no I/O.
