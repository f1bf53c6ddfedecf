//! Campaign Monitor's sandbox over real HTTP: what the vendor documents, call by call.

// The attribute tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod auth;
#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod import;
#[cfg(test)]
mod import_values;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod one_person;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod people;
