//! countersign-radiusd: the RADIUS door.

fn main() {}
