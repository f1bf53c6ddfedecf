//! Whole evaluations over stores in memory, and the text of every error that an author can meet.

mod bounds;
mod hostile;
mod lake;
mod messages;
mod rows;
mod s3;
