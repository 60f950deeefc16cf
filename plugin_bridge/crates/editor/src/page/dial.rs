//! What parameters look like: dials, faders, switches and the title above them.

use egui::{Align, Pos2, Rect, Response, Stroke, Ui, pos2, text::LayoutJob, vec2};
use shim_core::parameters::{Curve, Parameter};

use super::style;

const RADIUS: f32 = 20.0;
/// The scale's arc: 270 degrees with the gap at the bottom.
const FROM: f32 = 0.75 * std::f32::consts::PI;
const SWEEP: f32 = 1.5 * std::f32::consts::PI;

/// A title of at most two lines, centred and standing on `bottom`: the longest names that parameters have take two.
pub fn title(ui: &Ui, bottom: Pos2, width: f32, text: &str) {
    let mut job = LayoutJob::simple(text.to_owned(), style::small(), style::FAINT, width);
    job.halign = Align::Center;
    job.wrap.max_rows = 2;
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(bottom - vec2(0.0, galley.size().y), galley, style::FAINT);
}

fn on_arc(centre: Pos2, radius: f32, part: f32) -> Pos2 {
    let angle = FROM + SWEEP * part;
    pos2(centre.x + radius * angle.cos(), centre.y + radius * angle.sin())
}

fn arc(ui: &Ui, centre: Pos2, radius: f32, (from, to): (f32, f32), stroke: Stroke) {
    // A point every few degrees: finer than a pixel at twice this size.
    let count = (((to - from).abs() * 64.0).ceil() as usize).max(1);
    let points = (0..=count).map(|step| on_arc(centre, radius, from + (to - from) * step as f32 / count as f32));
    ui.painter().line(points.collect(), stroke);
}

pub fn dial(ui: &Ui, centre: Pos2, parameter: &Parameter, plain: f64, response: &Response) {
    let part = parameter.normalise(plain) as f32;
    let zero = ((0.0 - parameter.min) / (parameter.max - parameter.min)).clamp(0.0, 1.0) as f32;
    let live = parameter.curve != Curve::Status;
    let colour = if live { style::ACCENT } else { style::FAINT };
    arc(ui, centre, RADIUS, (0.0, 1.0), Stroke::new(3.5, style::TRACK));
    if (part - zero).abs() > 0.002 {
        arc(ui, centre, RADIUS, (zero.min(part), zero.max(part)), Stroke::new(3.5, colour));
    }
    let body = if response.hovered() || response.dragged() { style::RAISED_HOVER } else { style::RAISED };
    ui.painter().circle_filled(centre, RADIUS - 5.0, body);
    let needle = [on_arc(centre, RADIUS - 12.0, part), on_arc(centre, RADIUS - 6.0, part)];
    ui.painter().line_segment(needle, Stroke::new(2.0, style::TEXT));
    if response.has_focus() {
        ui.painter().circle_stroke(centre, RADIUS + 3.5, Stroke::new(1.5, style::TEXT));
    }
}

pub fn fader(ui: &Ui, place: Rect, part: f32, response: &Response) {
    let rail = Rect::from_center_size(place.center(), vec2(place.width() - 12.0, 4.0));
    let x = rail.left() + rail.width() * part;
    ui.painter().rect_filled(rail, 2.0, style::TRACK);
    ui.painter().rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.bottom())), 2.0, style::ACCENT);
    ui.painter().circle_filled(pos2(x, rail.center().y), 6.0, style::TEXT);
    if response.has_focus() {
        ui.painter().circle_stroke(pos2(x, rail.center().y), 8.5, Stroke::new(1.5, style::TEXT));
    }
}

pub fn switch(ui: &Ui, dial: Rect, on: bool, response: &Response) {
    let track = Rect::from_center_size(dial.center(), vec2(40.0, 20.0));
    let fill = if on { style::ACCENT } else { style::TRACK };
    ui.painter().rect_filled(track, 10.0, fill);
    let place = if on { track.right() - 10.0 } else { track.left() + 10.0 };
    let thumb = if on { style::BASE } else { style::TEXT };
    ui.painter().circle_filled(pos2(place, track.center().y), 7.0, thumb);
    if response.has_focus() {
        let ring = Stroke::new(1.5, style::TEXT);
        ui.painter().rect_stroke(track.expand(3.0), 13.0, ring, egui::StrokeKind::Outside);
    }
}
