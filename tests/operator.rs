//! The operator's command, run as people run it: the binary, its arguments, what it prints.

mod command;
mod story;
