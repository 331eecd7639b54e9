//! The names of what the lines of a record say.

/// The first line of a transcript: which work it is.
pub const WORK: &str = "work";
/// A question was answered.
pub const ANSWER: &str = "answer";
/// Somebody went back to the question before.
pub const BACK: &str = "back";
/// Something with an effect begins. In the journal: a piece of work begins to change something.
pub const BEGUN: &str = "begun";
/// It is done.
pub const DONE: &str = "done";
/// It failed.
pub const FAILED: &str = "failed";
/// The work was taken up again.
pub const RESUMED: &str = "resumed";
/// What was of no use alone was taken away.
pub const WITHDRAWN: &str = "withdrawn";
/// The work has ended.
pub const END: &str = "end";
