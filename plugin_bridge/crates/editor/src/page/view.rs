//! Which part of the region the waveform shows.

use egui::Rect;

/// The least that is shown: ten frames, a window.
const LEAST: f64 = 10.0;

/// All of the region, or frames from its start on and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View(pub Option<(f64, f64)>);

impl View {
    /// What is shown of a region of `frames`: the offset and the length.
    pub fn of(self, frames: f64) -> (f64, f64) {
        let Some((start, length)) = self.0.filter(|(start, length)| start.is_finite() && length.is_finite()) else {
            return (0.0, frames);
        };
        let length = length.clamp(LEAST.min(frames), frames);
        (start.clamp(0.0, frames - length), length)
    }

    /// Larger by `factor`, or smaller below 1; what is at `place` (0 to 1 of what is shown) stays there.
    pub fn zoom(&mut self, frames: f64, place: f64, factor: f64) {
        let (start, length) = self.of(frames);
        let new = (length / factor).clamp(LEAST.min(frames), frames);
        self.set(frames, start + place * (length - new), new);
    }

    /// By a part of what is shown, to the right above 0.
    pub fn scroll(&mut self, frames: f64, part: f64) {
        let (start, length) = self.of(frames);
        self.set(frames, start + part * length, length);
    }

    fn set(&mut self, frames: f64, start: f64, length: f64) {
        self.0 = (length < frames).then_some((start, length));
        self.0 = self.0.map(|_| self.of(frames));
    }
}

/// From song frames to points and back.
#[derive(Clone, Copy)]
pub struct Map {
    pub rect: Rect,
    /// Song frame at the left edge.
    pub start: f64,
    /// Frames from edge to edge.
    pub frames: f64,
}

impl Map {
    pub fn x(&self, frame: f64) -> f32 {
        self.rect.left() + ((frame - self.start) / self.frames) as f32 * self.rect.width()
    }

    /// Song frame.
    pub fn at(&self, x: f32) -> f64 {
        self.start + f64::from((x - self.rect.left()) / self.rect.width()) * self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let mut view = View::default();
        view.zoom(1000.0, 0.25, 2.0);
        assert_eq!(view.of(1000.0), (125.0, 500.0));
        view.zoom(1000.0, 0.25, 0.5);
        assert_eq!(view, View::default());
    }

    #[test]
    fn nothing_beyond_the_region_is_shown_whatever_is_asked_for() {
        let mut view = View::default();
        view.zoom(1000.0, 1.0, 1e9);
        assert_eq!(view.of(1000.0), (990.0, 10.0));
        view.scroll(1000.0, 5.0);
        assert_eq!(view.of(1000.0), (990.0, 10.0));
        view.scroll(1000.0, -1e6);
        assert_eq!(view.of(1000.0), (0.0, 10.0));
        for bad in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (-5.0, 2000.0)] {
            assert_eq!(View(Some(bad)).of(1000.0), (0.0, 1000.0));
        }
        // A region that became shorter than what was shown of it.
        assert_eq!(View(Some((500.0, 100.0))).of(40.0), (0.0, 40.0));
        assert_eq!(View(Some((500.0, 100.0))).of(4.0), (0.0, 4.0));
    }
}
