//! Omnisend's sandbox over real HTTP: what the vendor documents, call by call.

// The attribute tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod batches;
#[cfg(test)]
mod client;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod keys_and_limits;
#[cfg(test)]
mod segments;
#[cfg(test)]
mod tags_and_statuses;
