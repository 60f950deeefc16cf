//! How the region is drawn: source against output, what of it is rendered, the lanes as they reach the model, takes, and
//! the playhead.

use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, epaint::Mesh, pos2, vec2};
use shim_core::{Scene, parameters};

use super::{
    span::{FRAMES, Span},
    style,
    view::Map,
};

pub const HEIGHT: f32 = 116.0;
const STRIP: f32 = 7.0;
const RULER: f32 = 16.0;
const LANE: f32 = 30.0;
/// Lanes that are drawn; the message carries at most 16.
const LANES: usize = 4;

/// What there is beside the scene: the takes by slot, and the span that is chosen.
pub struct Marks {
    pub takes: Vec<(String, Span)>,
    pub chosen: Option<Span>,
}

/// The height of all of it, in points.
pub fn height(scene: Option<&Scene>) -> f32 {
    HEIGHT + STRIP + RULER + LANE * scene.map_or(0, |scene| scene.lanes.len().min(LANES)) as f32
}

pub fn draw(painter: &Painter, map: Map, scene: &Scene, marks: &Marks) {
    let (rect, region) = (map.rect, scene.head.region_start);
    let half = HEIGHT / 2.0;
    painter.rect_filled(Rect::from_min_size(rect.min, vec2(rect.width(), HEIGHT)), 3.0, style::FIELD);
    let tall = half / 2.0 - 4.0;
    peaks(painter, map, region, (rect.top() + half / 2.0, tall), &scene.source, style::FAINT);
    peaks(painter, map, region, (rect.top() + half * 1.5, tall), &scene.output, style::ACCENT);
    painter.hline(rect.x_range(), rect.top() + half, Stroke::new(1.0, style::RAISED));
    for (text, top) in [("Source", rect.top() + 3.0), ("Output", rect.top() + half + 3.0)] {
        let plate = Rect::from_min_size(pos2(rect.left() + 2.0, top - 1.0), vec2(46.0, 15.0));
        painter.rect_filled(plate, 2.0, style::FIELD);
        painter.text(pos2(rect.left() + 5.0, top), Align2::LEFT_TOP, text, style::small(), style::TEXT);
    }
    coverage(painter, map, region, &scene.coverage);
    seconds(painter, map);
    lanes(painter, map, scene);
    marked(painter, map, marks);
    let x = map.x(scene.head.playhead as f64);
    if rect.x_range().contains(x) {
        painter.vline(x, rect.y_range(), Stroke::new(1.5, style::TEXT));
    }
}

fn marked(painter: &Painter, map: Map, marks: &Marks) {
    let places = |span: Span| (map.x(span.start as f64), map.x(span.end as f64));
    let bottom = map.rect.top() + HEIGHT;
    for (slot, span) in &marks.takes {
        let (left, right) = places(*span);
        painter.hline(left..=right, bottom - 2.0, Stroke::new(3.0, style::WARN));
        let place = pos2(left.max(map.rect.left()) + 3.0, bottom - 4.0);
        if right > place.x {
            painter.text(place, Align2::LEFT_BOTTOM, slot, style::small(), style::WARN);
        }
    }
    if let Some(span) = marks.chosen {
        let (left, right) = places(span);
        let rect = Rect::from_min_max(pos2(left, map.rect.top()), pos2(right, bottom));
        painter.rect_filled(rect, 0.0, style::TEXT.gamma_multiply(0.12));
        for x in [left, right] {
            painter.vline(x, rect.y_range(), Stroke::new(1.0, style::TEXT));
        }
    }
}

/// One quad a column: the lowest and highest of the frames that fall into it.
fn peaks(painter: &Painter, map: Map, region: i64, (middle, height): (f32, f32), peaks: &[(i8, i8)], colour: Color32) {
    let rect = map.rect;
    let columns = (rect.width() as usize).clamp(1, 4096);
    let mut mesh = Mesh::default();
    for column in 0..columns {
        let place = |column: usize| map.start + map.frames * column as f64 / columns as f64 - region as f64;
        let at = |column: usize| (place(column).max(0.0) as usize).min(peaks.len());
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
fn coverage(painter: &Painter, map: Map, region: i64, coverage: &[u8]) {
    let rect = map.rect;
    let (top, bottom) = (rect.top() + HEIGHT + 1.0, rect.top() + HEIGHT + STRIP);
    let mut mesh = Mesh::default();
    let mut quad = |from: usize, to: usize, age: u8| {
        let x = |at: usize| map.x((region + at as i64) as f64);
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

fn seconds(painter: &Painter, map: Map) {
    let top = map.rect.top() + HEIGHT + STRIP + 2.0;
    let length = map.frames / FRAMES;
    // Of the round steps the first that leaves room for its labels.
    let steps = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];
    let step = steps.into_iter().find(|step| step / length * f64::from(map.rect.width()) >= 60.0).unwrap_or(300.0);
    let first = (map.start / FRAMES / step).ceil() as i64;
    let last = ((map.start + map.frames) / FRAMES / step).floor() as i64;
    for mark in first..=last {
        let second = mark as f64 * step;
        let x = map.x(second * FRAMES);
        let (sign, whole) = (if second < 0.0 { "-" } else { "" }, second.abs() as i64);
        let text = format!("{sign}{}:{:02}", whole / 60, whole % 60);
        painter.text(pos2(x + 2.0, top), Align2::LEFT_TOP, text, style::small(), style::FAINT);
        painter.vline(x, top..=top + 12.0, Stroke::new(1.0, style::TRACK));
    }
}

fn lanes(painter: &Painter, map: Map, scene: &Scene) {
    let top = map.rect.top() + HEIGHT + STRIP + RULER;
    for (row, (key, lane)) in scene.head.lanes.iter().zip(&scene.lanes).take(LANES).enumerate() {
        let top = top + LANE * row as f32;
        let bottom = top + LANE - 3.0;
        let parameter = parameters::index_of_key(key).map(|index| &parameters::table()[index]);
        let (low, high) = parameter.map_or((0.0, 1.0), |parameter| (parameter.min as f32, parameter.max as f32));
        let place = |(at, value): (usize, &f32)| {
            let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
            pos2(map.x((scene.head.region_start + at as i64) as f64), bottom - part * (bottom - top - 2.0))
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
