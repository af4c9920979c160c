//! The HTTP edge as strangers meet it: what is taken, what is refused, how, and how often. Every
//! problem that is seen here is held against `openapi.yaml` and its kind, and is searched for values.

mod answers;
mod bodies;
mod checkouts;
mod contract;
mod doors;
mod fields;
mod forgeries;
mod forms;
mod fuzz;
mod limits;
mod people;
mod sdks;
mod stripe_answers;
