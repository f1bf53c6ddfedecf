//! Dataverse's sandbox over real HTTP: what the vendor documents, call by call.

// The attribute tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod batch;
#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod entra;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod members;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod privileges;
#[cfg(test)]
mod protection;
#[cfg(test)]
mod queries;
