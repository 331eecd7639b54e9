//! Points in time as an officer reads them: a date, and how long until then.
use super::theme::Tone;
use jiff::Timestamp;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// From here on an end is near enough to act: Notary's own warning begins half a year before, but only for the root;
/// a month is what a rotation with witnesses takes to arrange.
const NEAR: i64 = 30 * DAY;

/// The date in UTC, `2026-11-30`.
pub fn date(t: Timestamp) -> String {
    t.strftime("%Y-%m-%d").to_string()
}

/// Date and time in UTC, to the minute.
pub fn moment(t: Timestamp) -> String {
    t.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long from `now` until `then`, at most nine columns: `27 days`, `5 hours`, `EXPIRED`.
pub fn left(now: Timestamp, then: Timestamp) -> String {
    let s = then.as_second().saturating_sub(now.as_second());
    match s {
        s if s <= 0 => "EXPIRED".to_owned(),
        s if s < 2 * HOUR => format!("{} min", (s / 60).max(1)),
        s if s < 2 * DAY => format!("{} hours", s / HOUR),
        s if s < 1000 * DAY => format!("{} days", s / DAY),
        s => format!("{} years", s / (365 * DAY)),
    }
}

/// The same as a clause: `in 27 days`, `expired 3 days ago`.
pub fn clause(now: Timestamp, then: Timestamp) -> String {
    if then > now {
        return format!("in {}", left(now, then));
    }
    // What lies a moment back is measured as if it lay ahead.
    let ago = Timestamp::from_second(now.as_second().saturating_mul(2).saturating_sub(then.as_second())).unwrap_or(now);
    if ago <= now { "expired just now".to_owned() } else { format!("expired {} ago", left(now, ago)) }
}

/// How an end is to be taken. A role that the server renews by itself is near its end only on its last two days.
pub fn tone(now: Timestamp, then: Timestamp, renewed_by_itself: bool) -> Tone {
    let s = then.as_second().saturating_sub(now.as_second());
    let near = if renewed_by_itself { 2 * DAY } else { NEAR };
    match s {
        s if s <= 0 => Tone::Bad,
        s if s < near => Tone::Warn,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(s: &str) -> Timestamp {
        s.parse().unwrap()
    }

    #[test]
    fn time_left_is_said_in_the_unit_that_matters() {
        let now = t("2026-11-01T00:00:00Z");
        assert_eq!(left(now, t("2026-11-28T12:00:00Z")), "27 days");
        assert_eq!(left(now, t("2026-11-02T05:00:00Z")), "29 hours");
        assert_eq!(left(now, t("2026-11-01T00:00:30Z")), "1 min");
        assert_eq!(left(now, t("2036-10-28T00:00:00Z")), "9 years");
        assert_eq!(left(now, now), "EXPIRED");
        assert_eq!(clause(now, t("2026-10-20T00:00:00Z")), "expired 12 days ago");
        assert_eq!(clause(now, now), "expired just now");
    }

    #[test]
    fn the_end_of_time_does_no_harm() {
        for (a, b) in [(Timestamp::MIN, Timestamp::MAX), (Timestamp::MAX, Timestamp::MIN)] {
            assert!(!left(a, b).is_empty() && !clause(a, b).is_empty());
            let _ = tone(a, b, false);
        }
    }

    #[test]
    fn what_the_server_renews_is_not_called_near_its_end_too_soon() {
        let now = t("2026-11-01T00:00:00Z");
        let then = t("2026-11-08T00:00:00Z");
        assert_eq!(tone(now, then, true), Tone::Plain);
        assert_eq!(tone(now, then, false), Tone::Warn);
        assert_eq!(tone(now, now, true), Tone::Bad);
    }
}
