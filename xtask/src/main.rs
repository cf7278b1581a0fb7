//! Developer commands: demo, test, bench, lint, tidy, install.

fn main() {}
