use super::*;
use egui::{Color32, TextureId};

const BLACK: u32 = 0xff00_0000;

fn canvas(width: usize, height: usize) -> Canvas {
    let mut canvas = Canvas::default();
    canvas.reset(width, height, BLACK);
    canvas
}

fn clip(width: f32, height: f32) -> Rect {
    Rect::from_min_max(Pos2::ZERO, Pos2::new(width, height))
}

/// The font atlas alone, as egui makes it for its first frame.
fn textures(context: &egui::Context) -> Textures {
    let mut textures = Textures::default();
    let mut output = context.run_ui(egui::RawInput::default(), |ui| drop(ui.label("x")));
    textures.set(&mut output.textures_delta);
    textures
}

fn fan(corners: &[(f32, f32)], colour: Color32) -> ClippedPrimitive {
    let mut mesh = Mesh { texture_id: TextureId::default(), ..Mesh::default() };
    mesh.vertices.extend(corners.iter().map(|&(x, y)| Vertex::untextured(Pos2::new(x, y), colour)));
    for last in 2..corners.len() as u32 {
        mesh.add_triangle(0, last - 1, last);
    }
    ClippedPrimitive { clip_rect: clip(64.0, 64.0), primitive: Primitive::Mesh(mesh) }
}

#[test]
fn neighbouring_triangles_cover_every_pixel_once() {
    let context = egui::Context::default();
    let textures = textures(&context);
    // Half-transparent, so that a pixel drawn twice or never has another value.
    let veil = Color32::from_rgba_premultiplied(64, 64, 64, 128);
    for corner in [(3.3, 7.9), (31.5, 20.5), (40.0, 40.0), (0.01, 63.9)] {
        let mut canvas = canvas(64, 64);
        let sides = [(0.0, 0.0), (64.0, 0.0), (64.0, 64.0), (0.0, 64.0)];
        for side in 0..4 {
            canvas.draw(&[fan(&[sides[side], sides[(side + 1) % 4], corner], veil)], 1.0, &textures);
        }
        assert!(canvas.pixels.iter().all(|&pixel| pixel == canvas.pixels[0] && pixel != BLACK), "{corner:?}");
    }
}

#[test]
fn nothing_is_drawn_outside_the_clip_or_the_canvas() {
    let context = egui::Context::default();
    let textures = textures(&context);
    let mut canvas = canvas(16, 16);
    let mut shape = fan(&[(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)], Color32::WHITE);
    shape.clip_rect = Rect::from_min_max(Pos2::new(4.0, 2.0), Pos2::new(6.0, 3.0));
    canvas.draw(&[shape], 2.0, &textures);
    let drawn = canvas.pixels.iter().enumerate().filter(|(_, pixel)| **pixel != BLACK).map(|(index, _)| index);
    let expected = (4..6).flat_map(|row| (8..12).map(move |column| row * 16 + column));
    assert_eq!(drawn.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn corners_that_are_no_numbers_draw_nothing() {
    let context = egui::Context::default();
    let textures = textures(&context);
    let mut canvas = canvas(8, 8);
    for bad in [f32::NAN, f32::INFINITY] {
        canvas.draw(&[fan(&[(0.0, 0.0), (8.0, 0.0), (bad, 8.0)], Color32::WHITE)], 1.0, &textures);
    }
    assert!(canvas.pixels.iter().all(|&pixel| pixel == BLACK));
}

#[test]
fn text_is_drawn_in_its_colour() {
    let context = egui::Context::default();
    let mut textures = Textures::default();
    let mut canvas = canvas(120, 40);
    let mut output = context.run_ui(egui::RawInput::default(), |ui| {
        let font = egui::FontId::proportional(24.0);
        ui.painter().text(Pos2::new(4.0, 4.0), egui::Align2::LEFT_TOP, "HILT", font, Color32::from_rgb(255, 0, 0));
    });
    textures.set(&mut output.textures_delta);
    canvas.draw(&context.tessellate(output.shapes, 1.0), 1.0, &textures);
    let full = canvas.pixels.iter().filter(|pixel| **pixel == 0xffff_0000).count();
    assert!(full > 50, "{full} pixels of pure text colour");
    assert!(canvas.pixels.iter().all(|pixel| pixel & 0xffff == 0), "only shades of red");
}
