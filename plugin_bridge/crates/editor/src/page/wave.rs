//! The region as it is, and what a hand does with it: choose a span, look closer, move along.

use egui::{
    Align2, EventFilter, Key, PointerButton, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};
use shim_core::Scene;

use super::{
    Page,
    span::{Span, clock},
    style, takes,
    trace::{self, Marks},
    view::{Map, View},
};

/// Points of the wheel that show half, and part of what is shown that an arrow key moves.
const WHEEL: f64 = 160.0;
const STEP: f64 = 0.1;

pub struct Wave {
    pub view: View,
    /// Where the drag that is under way began, in song frames.
    anchor: Option<f64>,
}

impl Wave {
    pub fn of(view: View) -> Self {
        Self { view, anchor: None }
    }
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    let scene = page.scene.clone();
    let drawn = scene.as_deref().filter(|scene| scene.head.frames > 0);
    style::panel().show(ui, |ui| {
        let size = vec2(ui.available_width(), trace::height(drawn));
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let learning = scene.as_ref().map_or(0, |scene| scene.head.learning);
        let Some(scene) = drawn.filter(|_| learning == 0) else {
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, advice(learning), style::value(), style::FAINT);
            return;
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Waveform"));
        let frames = f64::from(scene.head.frames);
        point(ui, page, &response, scene, map(page.wave.view, rect, scene));
        press(ui, &mut page.wave.view, &response, frames);
        let marks = Marks { takes: takes::spans(&page.document), chosen: page.takes.span };
        trace::draw(&ui.painter_at(rect), map(page.wave.view, rect, scene), scene, &marks);
        if response.has_focus() {
            let ring = Stroke::new(1.5, style::TEXT);
            ui.painter().rect_stroke(rect.expand(3.0), 4.0, ring, StrokeKind::Outside);
        }
    });
}

fn advice(learning: u32) -> String {
    if learning == 0 {
        return "Press play in the host: the track is heard here, and what becomes of it.".to_owned();
    }
    let heard = clock(i64::from(learning));
    format!("Learning the track: {heard} heard. Stop where it ends; the next pass is transformed.")
}

fn map(view: View, rect: Rect, scene: &Scene) -> Map {
    let (offset, frames) = view.of(f64::from(scene.head.frames));
    Map { rect, start: scene.head.region_start as f64 + offset, frames }
}

/// A drag chooses a span, a click none; the wheel looks closer, and sideways along; a double click shows all.
fn point(ui: &Ui, page: &mut Page, response: &Response, scene: &Scene, map: Map) {
    let pointer = ui.input(|input| (input.pointer.press_origin(), input.pointer.latest_pos()));
    if response.drag_started_by(PointerButton::Primary) {
        page.wave.anchor = pointer.0.map(|place| map.at(place.x));
        response.request_focus();
    }
    if let (true, Some(anchor), Some(place)) = (response.dragged(), page.wave.anchor, pointer.1) {
        let region = (scene.head.region_start as f64, scene.head.region_start as f64 + f64::from(scene.head.frames));
        page.takes.span = Some(Span::between(anchor, map.at(place.x).clamp(region.0, region.1)));
    }
    if response.double_clicked() {
        page.wave.view = View::default();
    } else if response.clicked() {
        response.request_focus();
        page.takes.span = None;
    }
    let Some(place) = response.hover_pos() else { return };
    let (turned, pinched) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta()));
    let (frames, place) = (f64::from(scene.head.frames), f64::from((place.x - map.rect.left()) / map.rect.width()));
    let factor = f64::from(pinched) * (f64::from(turned.y) / WHEEL).exp2();
    if factor != 1.0 {
        page.wave.view.zoom(frames, place, factor);
    }
    if turned.x != 0.0 {
        page.wave.view.scroll(frames, -f64::from(turned.x / map.rect.width()));
    }
}

/// Left and right go along, up and down look closer and less closely, Home shows all.
fn press(ui: &Ui, view: &mut View, response: &Response, frames: f64) {
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (along, closer, all) = ui.input(|input| {
        let times = |key| input.num_presses(key) as f64;
        let along = times(Key::ArrowRight) - times(Key::ArrowLeft);
        (along, times(Key::ArrowUp) - times(Key::ArrowDown), input.key_pressed(Key::Home))
    });
    if all {
        *view = View::default();
    }
    if along != 0.0 {
        view.scroll(frames, along * STEP);
    }
    if closer != 0.0 {
        view.zoom(frames, 0.5, closer.exp2());
    }
}
