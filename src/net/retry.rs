//! Whether, and after how long, a request is sent again.
use super::TransportError;
use super::{challenge::Challenge, settings::Retry};
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use std::time::Duration;

/// One attempt that failed.
pub struct Failed {
    /// Why.
    pub error: TransportError,
    /// Whether it may have arrived whole. Not so if a part of its body never left, or if nobody was connected.
    pub arrived: bool,
    /// The body of the answer, if there was one that could be read.
    pub said: Vec<u8>,
    /// Whether another attempt may help.
    pub(super) again: bool,
    /// How long the server asks us to wait.
    pub(super) after: Option<Duration>,
    /// What the server wants to see first, if it said that.
    pub(super) challenge: Option<Challenge>,
}

impl From<TransportError> for Box<Failed> {
    fn from(error: TransportError) -> Self {
        Self::new(Failed { error, arrived: false, said: Vec::new(), again: false, after: None, challenge: None })
    }
}

impl Retry {
    /// How long to wait before the next attempt; none when this failure is final.
    pub(super) fn pause(&self, tried: u32, failed: &Failed) -> Option<Duration> {
        if !failed.again || tried >= self.times {
            return None;
        }
        match failed.after {
            // To come back earlier than asked would only make it worse.
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked),
            None => Some(self.first.saturating_mul(2u32.saturating_pow(tried)).min(self.longest)),
        }
    }
}

/// Reads `Retry-After`: seconds, or a date.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Untrusted;

    const RETRY: Retry = Retry { times: 3, first: Duration::from_secs(1), longest: Duration::from_secs(3) };

    fn failed(again: bool, after: Option<u64>) -> Failed {
        let after = after.map(Duration::from_secs);
        Failed { again, after, ..*Box::<Failed>::from(TransportError::Malformed(Untrusted::default())) }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = (0..5).map(|n| RETRY.pause(n, &failed(true, None)).map(|d| d.as_secs())).collect();
        assert_eq!(pauses, [Some(1), Some(2), Some(3), None, None]);
        assert_eq!(RETRY.pause(0, &failed(false, None)), None);
    }

    #[test]
    fn a_server_that_asks_for_more_patience_than_we_have_is_not_asked_again() {
        assert_eq!(RETRY.pause(0, &failed(true, Some(3))), Some(Duration::from_secs(3)));
        assert_eq!(RETRY.pause(0, &failed(true, Some(4))), None);
        assert_eq!(RETRY.pause(0, &failed(true, Some(u64::MAX))), None);
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        let read = |s| retry_after(s, now).map(|d| d.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:07 GMT"), Some(0), "a date in the past means now");
        assert_eq!(read("99999999999999999999999999"), Some(u64::MAX));
        for junk in ["", "soon", "-1", "1.5", "06 Nov"] {
            assert_eq!(read(junk), None, "{junk}");
        }
    }
}
