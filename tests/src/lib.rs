//! The end-to-end tests are in `it/`; this library is empty.
