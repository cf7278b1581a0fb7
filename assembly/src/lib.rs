//! Settings to engine: the one place that knows every backend.
