//! Plans for folders against what is there.
