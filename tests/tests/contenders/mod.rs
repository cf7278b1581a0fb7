//! Processes that stand at a door with an answer in their hands, and go on when they are told: pamtester behind a pipe,
//! and a gateway that sends what it hears.

#![allow(dead_code, unused_imports, reason = "each suite uses its part of it")]

mod crowd;
mod gateway;
mod pamtester;
mod shift;
mod starting_line;

pub(crate) use crowd::{add_crowd, name_of, recovery_codes};
pub(crate) use gateway::{Gateway, Question, be_a_gateway};
pub(crate) use pamtester::Pamtester;
pub(crate) use shift::{Dice, Shift};
pub(crate) use starting_line::StartingLine;
