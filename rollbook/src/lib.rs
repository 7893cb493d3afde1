//! What the program shares with its examples. Everything else of it is private to the executable.

pub mod population;
