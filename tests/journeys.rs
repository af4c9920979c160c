//! Journeys through the deployed whole. Each test is named after the promise it holds.

mod faults;
mod gates;
mod leads;
mod payments;
mod stream;
