//! Colours and measures: dark, one accent. Text on its ground has a contrast of at least 4.5 to 1 (tests hold it).

use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Frame, Margin, Stroke, TextStyle, Theme, Visuals, vec2,
};

/// The window's ground.
pub const BASE: Color32 = Color32::from_rgb(0x12, 0x14, 0x18);
pub const BACKGROUND: Color32 = BASE;
/// What lies on it.
pub const PANEL: Color32 = Color32::from_rgb(0x1a, 0x1d, 0x23);
pub const RAISED: Color32 = Color32::from_rgb(0x2a, 0x2f, 0x38);
pub const RAISED_HOVER: Color32 = Color32::from_rgb(0x37, 0x3d, 0x49);
pub const TRACK: Color32 = Color32::from_rgb(0x3a, 0x41, 0x4d);
pub const FIELD: Color32 = Color32::from_rgb(0x0d, 0x0f, 0x12);

pub const TEXT: Color32 = Color32::from_rgb(0xe8, 0xea, 0xee);
pub const FAINT: Color32 = Color32::from_rgb(0xa3, 0xab, 0xb9);
pub const ACCENT: Color32 = Color32::from_rgb(0x5c, 0xd6, 0xc0);
pub const WARN: Color32 = Color32::from_rgb(0xf0, 0xb8, 0x62);
pub const BAD: Color32 = Color32::from_rgb(0xf4, 0x8b, 0x82);

pub fn small() -> FontId {
    FontId::proportional(11.5)
}

pub fn value() -> FontId {
    FontId::proportional(12.0)
}

pub fn page() -> Frame {
    Frame::new().fill(BASE).inner_margin(Margin::symmetric(10, 8))
}

pub fn panel() -> Frame {
    Frame::new().fill(PANEL).corner_radius(6).inner_margin(Margin::symmetric(10, 8))
}

fn heading(title: &str) -> egui::RichText {
    egui::RichText::new(title).color(TEXT).strong()
}

/// Text at the left of a place of fixed width, so that what follows lines up.
pub fn tag(ui: &mut egui::Ui, text: impl Into<egui::RichText>, width: f32) -> egui::Response {
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.allocate_ui_with_layout(vec2(width, 20.0), layout, |ui| {
        ui.set_min_width(width);
        ui.label(text.into().color(FAINT))
    })
    .inner
}

/// A titled panel of the full width.
pub fn section(ui: &mut egui::Ui, title: &str, body: impl FnOnce(&mut egui::Ui)) {
    panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(heading(title));
        body(ui);
    });
}

/// A titled panel that is folded at first.
pub fn folded(ui: &mut egui::Ui, title: &str, body: impl FnOnce(&mut egui::Ui)) {
    panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        egui::CollapsingHeader::new(heading(title)).show_unindented(ui, body);
    });
}

/// Sets the look of everything in a context.
pub fn dress(context: &Context) {
    context.set_theme(Theme::Dark);
    // The page's own zoom asks the host for a larger window as well.
    context.options_mut(|options| options.zoom_with_keyboard = false);
    context.global_style_mut(|style| {
        style.visuals = visuals();
        style.spacing.item_spacing = vec2(6.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 3.0);
        style.spacing.interact_size.y = 22.0;
        style.animation_time = 0.0;
        style.interaction.selectable_labels = false;
        style.text_styles.insert(TextStyle::Body, FontId::new(13.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Button, FontId::new(13.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Small, small());
        style.text_styles.insert(TextStyle::Heading, FontId::new(15.0, FontFamily::Proportional));
    });
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.override_text_color = None;
    visuals.panel_fill = BASE;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, TRACK);
    visuals.extreme_bg_color = FIELD;
    visuals.faint_bg_color = PANEL;
    visuals.weak_text_color = Some(FAINT);
    visuals.selection.bg_fill = Color32::from_rgb(0x1f, 0x5e, 0x55);
    visuals.selection.stroke = Stroke::new(1.0, TEXT);
    visuals.hyperlink_color = ACCENT;
    visuals.warn_fg_color = WARN;
    visuals.error_fg_color = BAD;
    visuals.button_frame = true;
    let radius = CornerRadius::same(4);
    let states = &mut visuals.widgets;
    for (state, fill, text, ring) in [
        (&mut states.noninteractive, PANEL, FAINT, Stroke::new(1.0, RAISED)),
        (&mut states.inactive, RAISED, TEXT, Stroke::NONE),
        (&mut states.hovered, RAISED_HOVER, TEXT, Stroke::NONE),
        // Also the state of what has the keyboard's focus.
        (&mut states.active, RAISED_HOVER, TEXT, Stroke::new(1.5, TEXT)),
        (&mut states.open, RAISED_HOVER, TEXT, Stroke::NONE),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.fg_stroke = Stroke::new(1.0, text);
        state.bg_stroke = ring;
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, "relative luminance".
    fn luminance(colour: Color32) -> f64 {
        let [r, g, b, _] = colour.to_array().map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_text_colour_reads_on_every_ground() {
        for text in [TEXT, FAINT, ACCENT, WARN, BAD] {
            for ground in [BASE, PANEL, FIELD, RAISED] {
                let contrast = (luminance(text) + 0.05) / (luminance(ground) + 0.05);
                assert!(contrast >= 4.5, "{text:?} on {ground:?}: {contrast:.2}");
            }
        }
    }
}
