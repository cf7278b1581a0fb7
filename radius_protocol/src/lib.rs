//! RADIUS packets and attributes, borrowed from the wire.
