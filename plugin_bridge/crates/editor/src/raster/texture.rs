//! Textures as egui hands them over: in practice the font atlas alone.

use std::collections::HashMap;

use egui::{Color32, ImageData, TextureId, TexturesDelta, epaint::ImageDelta};

/// Texels, sampled at the nearest: glyphs are laid out pixel by pixel, so nothing is ever scaled.
#[derive(Default)]
pub struct Texture {
    width: usize,
    height: usize,
    texels: Vec<Color32>,
}

impl Texture {
    /// The texel at `u`, `v`, 0 to 1 each; those outside are the border's.
    pub fn at(&self, u: f32, v: f32) -> Color32 {
        let column = ((u * self.width as f32) as usize).min(self.width.saturating_sub(1));
        let row = ((v * self.height as f32) as usize).min(self.height.saturating_sub(1));
        self.texels.get(row * self.width + column).copied().unwrap_or_default()
    }

    fn apply(&mut self, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        let [width, height] = image.size;
        let Some([left, top]) = delta.pos else {
            *self = Self { width, height, texels: image.pixels.clone() };
            return;
        };
        if left + width > self.width || top + height > self.height {
            return;
        }
        for (row, texels) in image.pixels.chunks_exact(width.max(1)).enumerate() {
            let start = (top + row) * self.width + left;
            self.texels[start..start + width].copy_from_slice(texels);
        }
    }
}

#[derive(Default)]
pub struct Textures(HashMap<TextureId, Texture>);

impl Textures {
    pub fn get(&self, id: TextureId) -> Option<&Texture> {
        self.0.get(&id)
    }

    /// To be called before drawing what came with `delta`.
    pub fn set(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            let texture = self.0.entry(id).or_default();
            images.iter().for_each(|image| texture.apply(image));
        }
    }

    /// To be called after drawing what came with `delta`.
    pub fn free(&mut self, delta: &mut TexturesDelta) {
        for id in delta.free.drain() {
            self.0.remove(&id);
        }
    }
}
