//! Which values the sidecar may know from this side, so that its document does not turn back a knob that moved on.

use crate::parameters::COUNT;
use std::collections::VecDeque;

/// How long a sidecar may take to save what it was told; a tick of a large model on a CPU takes seconds.
const WINDOW_MS: u64 = 10_000;
/// A ramp point in each block of 64 samples at 48 kHz for five seconds.
const KEPT: usize = 4096;

/// Per parameter, the values sent in the last seconds and the one in force before: (milliseconds, bits).
pub(crate) struct Echo([VecDeque<(u64, u64)>; COUNT]);

impl Default for Echo {
    fn default() -> Self {
        Self(std::array::from_fn(|_| VecDeque::new()))
    }
}

impl Echo {
    pub(crate) fn sent(&mut self, index: usize, value: f64, now: u64) {
        let history = &mut self.0[index];
        if history.back().is_some_and(|last| last.1 == value.to_bits()) {
            return;
        }
        while history.len() >= KEPT || history.get(1).is_some_and(|next| next.0 + WINDOW_MS < now) {
            history.pop_front();
        }
        history.push_back((now, value.to_bits()));
    }

    /// Whether the sidecar can have this value from here.
    pub(crate) fn contains(&self, index: usize, value: f64, now: u64) -> bool {
        let history = &self.0[index];
        let is_current = |at: usize| history.get(at + 1).is_none_or(|next| next.0 + WINDOW_MS >= now);
        (0..history.len()).any(|at| history[at].1 == value.to_bits() && is_current(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_force_in_the_window_is_an_echo_and_nothing_else() {
        let mut echo = Echo::default();
        echo.sent(1, 0.25, 0);
        echo.sent(1, 0.5, 20_000);
        assert!(echo.contains(1, 0.25, 29_000) && echo.contains(1, 0.5, 29_000));
        assert!(!echo.contains(1, 0.25, 30_001) && echo.contains(1, 0.5, 90_000));
        assert!(!echo.contains(1, 0.75, 29_000) && !echo.contains(0, 0.25, 29_000));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut echo = Echo::default();
        (0..3 * KEPT).for_each(|number| echo.sent(0, number as f64, 0));
        assert!(echo.0[0].len() <= KEPT);
    }
}
