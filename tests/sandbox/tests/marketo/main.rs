//! Marketo's sandbox over real HTTP: what the vendor documents, call by call.

// The attribute tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod auth;
#[cfg(test)]
mod client;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod people;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod sync;
