//! Marketo's sandbox over real HTTP: what the vendor documents, call by call.

// The attribute tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod auth;
#[cfg(test)]
mod client;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod people;
#[cfg(test)]
mod sync;
