//! The region as it is: source against output, what of it is rendered, the playhead, and the lanes as they reach the
//! model.

use egui::{Align2, Color32, Painter, Pos2, Rect, Sense, Stroke, Ui, epaint::Mesh, pos2, vec2};
use shim_core::{Scene, parameters};

use super::{Page, style};

/// Frames a second (docs/architecture.md).
const FRAMES: f32 = 25.0;
const HEIGHT: f32 = 116.0;
const STRIP: f32 = 7.0;
const LANE: f32 = 30.0;
/// Lanes that are drawn; the message carries at most 16.
const LANES: usize = 4;

/// From song frames to points and back.
struct Map {
    rect: Rect,
    start: i64,
    frames: f32,
}

impl Map {
    fn x(&self, frame: i64) -> f32 {
        self.rect.left() + (frame - self.start) as f32 / self.frames * self.rect.width()
    }
}

pub fn show(ui: &mut Ui, page: &Page) {
    let scene = page.scene.clone().filter(|scene| scene.head.frames > 0);
    let lanes = scene.as_ref().map_or(0, |scene| scene.lanes.len().min(LANES));
    style::panel().show(ui, |ui| {
        let size = vec2(ui.available_width(), HEIGHT + STRIP + 16.0 + LANE * lanes as f32);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let painter = ui.painter_at(rect);
        let Some(scene) = scene else {
            let text = "Press play in the host: the track is heard here, and what becomes of it.";
            painter.text(rect.center(), Align2::CENTER_CENTER, text, style::value(), style::FAINT);
            return;
        };
        let map = Map { rect, start: scene.head.region_start, frames: scene.head.frames as f32 };
        draw(&painter, &map, &scene);
    });
}

fn draw(painter: &Painter, map: &Map, scene: &Scene) {
    let rect = map.rect;
    let half = HEIGHT / 2.0;
    painter.rect_filled(Rect::from_min_size(rect.min, vec2(rect.width(), HEIGHT)), 3.0, style::FIELD);
    peaks(painter, rect, rect.top() + half / 2.0, half / 2.0 - 4.0, &scene.source, style::FAINT);
    peaks(painter, rect, rect.top() + half * 1.5, half / 2.0 - 4.0, &scene.output, style::ACCENT);
    painter.hline(rect.x_range(), rect.top() + half, Stroke::new(1.0, style::RAISED));
    for (text, top) in [("Source", rect.top() + 3.0), ("Output", rect.top() + half + 3.0)] {
        let plate = Rect::from_min_size(pos2(rect.left() + 2.0, top - 1.0), vec2(46.0, 15.0));
        painter.rect_filled(plate, 2.0, style::FIELD);
        painter.text(pos2(rect.left() + 5.0, top), Align2::LEFT_TOP, text, style::small(), style::TEXT);
    }
    coverage(painter, rect, &scene.coverage);
    seconds(painter, map);
    lanes(painter, map, scene);
    let x = map.x(scene.head.playhead);
    if rect.x_range().contains(x) {
        painter.vline(x, rect.y_range(), Stroke::new(1.5, style::TEXT));
    }
}

/// One quad a column: the lowest and highest of the frames that fall into it.
fn peaks(painter: &Painter, rect: Rect, middle: f32, height: f32, peaks: &[(i8, i8)], colour: Color32) {
    let columns = (rect.width() as usize).clamp(1, 4096);
    let mut mesh = Mesh::default();
    for column in 0..columns {
        let at = |column: usize| column * peaks.len() / columns;
        let run = &peaks[at(column)..at(column + 1).max(at(column) + 1).min(peaks.len())];
        let low = run.iter().map(|peak| peak.0).min().unwrap_or(0);
        let high = run.iter().map(|peak| peak.1).max().unwrap_or(0);
        let y = |value: i8| middle - f32::from(value) / 127.0 * height;
        let left = rect.left() + rect.width() * column as f32 / columns as f32;
        let right = rect.left() + rect.width() * (column + 1) as f32 / columns as f32;
        let quad = Rect::from_min_max(pos2(left, y(high) - 0.5), pos2(right, y(low) + 0.5));
        mesh.add_colored_rect(quad, colour);
    }
    painter.add(mesh);
}

/// Fresh is bright, old is dim, nothing is the ground.
fn coverage(painter: &Painter, rect: Rect, coverage: &[u8]) {
    let (top, bottom) = (rect.top() + HEIGHT + 1.0, rect.top() + HEIGHT + STRIP);
    let mut mesh = Mesh::default();
    let mut quad = |from: usize, to: usize, age: u8| {
        let x = |at: usize| rect.left() + rect.width() * at as f32 / coverage.len() as f32;
        mesh.add_colored_rect(Rect::from_min_max(pos2(x(from), top), pos2(x(to), bottom)), shade(age));
    };
    let mut from = 0;
    for at in 1..=coverage.len() {
        if coverage.get(at) != Some(&coverage[from]) {
            quad(from, at, coverage[from]);
            from = at;
        }
    }
    painter.add(mesh);
}

/// The colour of a frame by its coverage: 0 nothing, 255 fresh; halves about every three generations.
fn shade(coverage: u8) -> Color32 {
    if coverage == 0 {
        return style::TRACK;
    }
    let age = 255 - coverage;
    let dim = 0.25 + 0.75 * 0.8f32.powi(i32::from(age));
    style::ACCENT.gamma_multiply(dim)
}

fn seconds(painter: &Painter, map: &Map) {
    let top = map.rect.top() + HEIGHT + STRIP + 2.0;
    let length = map.frames / FRAMES;
    // Of the round steps the first that leaves room for its labels.
    let steps = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];
    let step = steps.into_iter().find(|step| step / length * map.rect.width() >= 60.0).unwrap_or(300.0);
    let first = (map.start as f32 / FRAMES / step).ceil() as i64;
    let last = ((map.start as f32 + map.frames) / FRAMES / step).floor() as i64;
    for mark in first..=last {
        let second = mark as f32 * step;
        let x = map.x((second * FRAMES) as i64);
        let (sign, whole) = (if second < 0.0 { "-" } else { "" }, second.abs() as i64);
        let text = format!("{sign}{}:{:02}", whole / 60, whole % 60);
        painter.text(pos2(x + 2.0, top), Align2::LEFT_TOP, text, style::small(), style::FAINT);
        painter.vline(x, top..=top + 12.0, Stroke::new(1.0, style::TRACK));
    }
}

fn lanes(painter: &Painter, map: &Map, scene: &Scene) {
    let top = map.rect.top() + HEIGHT + STRIP + 16.0;
    for (row, (key, lane)) in scene.head.lanes.iter().zip(&scene.lanes).take(LANES).enumerate() {
        let top = top + LANE * row as f32;
        let bottom = top + LANE - 3.0;
        let parameter = parameters::index_of_key(key).map(|index| &parameters::table()[index]);
        let (low, high) = parameter.map_or((0.0, 1.0), |parameter| (parameter.min as f32, parameter.max as f32));
        let place = |(at, value): (usize, &f32)| {
            let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
            pos2(map.x(map.start + at as i64), bottom - part * (bottom - top - 2.0))
        };
        painter.hline(map.rect.x_range(), bottom, Stroke::new(1.0, style::RAISED));
        let line: Vec<Pos2> = lane.iter().enumerate().map(place).collect();
        painter.line(line, Stroke::new(1.2, style::TEXT));
        let name = parameter.map_or(key.as_str(), |parameter| parameter.name);
        painter.text(pos2(map.rect.left() + 5.0, top), Align2::LEFT_TOP, name, style::small(), style::FAINT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fresh_is_brighter_than_what_is_old() {
        let light = |coverage| shade(coverage).to_array()[..3].iter().map(|part| u32::from(*part)).sum::<u32>();
        assert!(light(255) > light(250) && light(250) > light(1) && shade(0) == style::TRACK);
    }
}
