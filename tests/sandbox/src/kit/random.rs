//! Unguessable identifiers, as vendors hand them out.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Thirty-two hexadecimal digits, the form of Campaign Monitor's ids and keys.
pub(crate) fn hexadecimal_id() -> String {
    // `RandomState` is seeded by the operating system, and each new one hashes differently.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
