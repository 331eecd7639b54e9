//! Changing a repository, on the one road there is: what was verified, a plan, signatures, publishing, and verifying again.
mod audience;
mod basis;
mod consequences;
mod difference;
mod first;
mod ground;
mod plan;
mod publish;
mod roots;
mod sign;
mod unvouched;
mod vouched;

pub use basis::Basis;
pub use consequences::{NEAR, some};
pub use difference::{FileDifference, LINES, Line, Mark};
pub use first::{Claimed, FirstKeys};
pub use ground::Ground;
pub use plan::Plan;
pub use publish::{NotPublished, Unproven};
pub use sign::{SignError, Signed};
pub use unvouched::Unvouched;
