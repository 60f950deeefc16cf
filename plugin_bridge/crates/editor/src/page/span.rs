//! A part of the song, on the grid of windows: what is kept as a take is widened to it (docs/recall.md).

use shim_core::Scene;

/// Frames a second and frames a window (docs/architecture.md).
pub const FRAMES: f64 = 25.0;
const WINDOW: i64 = 10;

/// Song frames from `start` up to `end`, which is after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    /// The windows that hold everything between two places, in either order.
    pub fn between(one: f64, other: f64) -> Self {
        let window = |place: f64| place / WINDOW as f64;
        let start = window(one.min(other)).floor() as i64 * WINDOW;
        let end = window(one.max(other)).ceil() as i64 * WINDOW;
        Self { start, end: end.max(start + WINDOW) }
    }

    /// What was rendered around the playhead or right before it; elsewhere the longest part that was.
    pub fn rendered(scene: &Scene) -> Option<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for (at, _) in scene.coverage.iter().enumerate().filter(|(_, coverage)| **coverage > 0) {
            let frame = scene.head.region_start + at as i64;
            match runs.last_mut() {
                Some(run) if run.end == frame => run.end += 1,
                _ => runs.push(Self { start: frame, end: frame + 1 }),
            }
        }
        let heard = |run: &&Self| run.start <= scene.head.playhead && scene.head.playhead <= run.end;
        let found = runs.iter().find(heard).or_else(|| runs.iter().max_by_key(|run| run.end - run.start))?;
        Some(Self::between(found.start as f64, found.end as f64))
    }

    /// First and last song sample, the last one excluded: a frame's first sample is the first at or after its time.
    pub fn samples(self, rate: u32) -> (i64, i64) {
        let sample = |frame: i64| -(-frame * i64::from(rate)).div_euclid(FRAMES as i64);
        (sample(self.start), sample(self.end))
    }
}

/// Minutes, seconds and tenths of a song position.
pub fn clock(frame: i64) -> String {
    let (sign, frame) = (if frame < 0 { "-" } else { "" }, frame.unsigned_abs());
    format!("{sign}{}:{:02}.{}", frame / 1500, frame / 25 % 60, frame % 25 * 10 / 25)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shim_core::SceneHead;

    #[test]
    fn a_span_lies_on_the_grid_and_is_never_empty() {
        assert_eq!(Span::between(31.0, 12.5), Span { start: 10, end: 40 });
        assert_eq!(Span::between(-3.0, -3.0), Span { start: -10, end: 0 });
        assert_eq!(Span::between(20.0, 20.0), Span { start: 20, end: 30 });
    }

    #[test]
    fn a_frame_begins_at_the_first_sample_that_lies_in_it() {
        // 44.1 kHz: 1764 samples a frame; 22.05 kHz: 882; 8001 Hz: 320.04, so frame 1 begins at sample 321.
        assert_eq!(Span { start: 10, end: 20 }.samples(44_100), (17_640, 35_280));
        assert_eq!(Span { start: -1, end: 1 }.samples(8_001), (-320, 321));
    }

    #[test]
    fn what_was_rendered_last_is_offered_before_what_is_longer() {
        let coverage = |parts: &[(usize, u8)]| parts.iter().flat_map(|(n, age)| vec![*age; *n]).collect();
        let mut scene = Scene {
            head: SceneHead { region_start: 100, playhead: 175, ..SceneHead::default() },
            coverage: coverage(&[(40, 200), (30, 0), (10, 255), (20, 0)]),
            ..Scene::default()
        };
        assert_eq!(Span::rendered(&scene), Some(Span { start: 170, end: 180 }));
        scene.head.playhead = 160;
        assert_eq!(Span::rendered(&scene), Some(Span { start: 100, end: 140 }));
        scene.coverage.fill(0);
        assert_eq!(Span::rendered(&scene), None);
    }

    #[test]
    fn a_place_reads_as_a_clock_does() {
        assert_eq!([clock(0), clock(1510), clock(-30)], ["0:00.0", "1:00.4", "-0:01.2"]);
    }
}
