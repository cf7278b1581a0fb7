//! The test ground and the suites against real programs.
