//! When the screen locks by itself. Time comes in from outside, and goes on while the machine sleeps.
use std::time::Duration;

/// How long nobody has done anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idle {
    /// After so long it is locked.
    pub after: Duration,
    /// When somebody has last done something; none before the time is known.
    last: Option<Duration>,
    /// Whether somebody has done something since the time was last told.
    touched: bool,
}

impl Default for Idle {
    fn default() -> Self {
        Self::new(Duration::from_secs(600))
    }
}

impl Idle {
    /// Locks after so long.
    pub fn new(after: Duration) -> Self {
        Self { after, last: None, touched: true }
    }

    /// Somebody has done something.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// It is this time now; whether it was too long.
    pub fn tell(&mut self, now: Duration) -> bool {
        if std::mem::take(&mut self.touched) {
            self.last = Some(now);
        }
        self.is_over(now)
    }

    /// Whether it was too long, as of what was told.
    pub fn is_over(&self, now: Duration) -> bool {
        self.left(now).is_zero()
    }

    /// How long until then.
    pub fn left(&self, now: Duration) -> Duration {
        let last = self.last.unwrap_or(now);
        (last + self.after).saturating_sub(now)
    }
}
