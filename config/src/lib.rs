//! TOML configuration files to settings, with all mistakes reported at once.
