use std::sync::Arc;

use egui::{Pos2, RawInput, Rect, vec2};
use shim_core::Scene;

use super::desk::Desk;
use crate::{
    page::{BACKGROUND, dress, style},
    raster::{Canvas, Textures, word},
};

/// A pass as the sidecar describes it: half rendered, with one lane.
pub fn scene() -> Scene {
    let wave = |size: f32| (0..500).map(move |at: i32| ((at as f32 * 0.13).sin().abs() * size) as i8);
    let head = shim_core::SceneHead {
        region_start: 50,
        frames: 500,
        playhead: 170,
        tick_frames: 2,
        ticks: 2.1,
        sustained: 3.0,
        device: "cpu".into(),
        lanes: vec!["denoise".into(), "prompt_blend".into()],
        missing: vec![shim_core::Missing {
            kind: "lora".into(),
            name: "dusty-tape".into(),
            fix: "Put its file into the LoRA folder.".into(),
        }],
        ..Default::default()
    };
    Scene {
        head,
        coverage: (0..500).map(|at| if at < 250 { 255 - (at / 50) as u8 } else { 0 }).collect(),
        lanes: vec![(0..500).map(|at| at as f32 / 500.0).collect(), vec![0.5; 500]],
        source: wave(100.0).map(|peak| (-peak, peak)).collect(),
        output: wave(60.0).map(|peak| (-peak, peak)).collect(),
    }
}

#[test]
fn the_region_shows_what_is_rendered_and_where_the_song_is() {
    let mut desk = Desk::new();
    desk.page.scene = Some(Arc::new(scene()));
    let (mut textures, mut canvas) = (Textures::default(), Canvas::default());
    let (context, (width, height)) = (egui::Context::default(), crate::SIZE);
    dress(&context);
    canvas.reset(width as usize, height as usize, word(BACKGROUND));
    let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(width as f32, height as f32)));
    for _ in 0..2 {
        let page = &mut desk.page;
        let raw = RawInput { screen_rect, ..RawInput::default() };
        let mut output = context.run_ui(raw, |ui| page.show(ui));
        textures.set(&mut output.textures_delta);
        canvas.draw(&context.tessellate(output.shapes, 1.0), 1.0, &textures);
    }
    let strip = canvas.pixels.chunks_exact(canvas.width).find(|row| {
        let fresh = row.iter().filter(|pixel| **pixel == word(style::ACCENT)).count();
        let empty = row.iter().filter(|pixel| **pixel == word(style::TRACK)).count();
        // A fifth of the rendered half is the newest generation, and the other half is not rendered.
        (60..90).contains(&fresh) && (330..380).contains(&empty)
    });
    assert!(strip.is_some(), "the coverage of 710 points: a tenth fresh, half empty");
    let bright = |pixel: u32| [16, 8, 0].iter().all(|shift| pixel >> shift & 255 > 120);
    let playhead = (0..canvas.width)
        .filter(|column| (100..290).filter(|row| bright(canvas.pixels[row * canvas.width + column])).count() > 150);
    assert!((1..=2).contains(&playhead.count()), "one line through source, output and lanes");
}
