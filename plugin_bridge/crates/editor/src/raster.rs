//! Triangles to pixels: egui's meshes drawn by the CPU, so that the window needs no graphics driver.

mod span;
#[cfg(test)]
mod tests;
mod texture;

use egui::{
    Pos2, Rect,
    epaint::{ClippedPrimitive, Mesh, Primitive, Vertex},
};

pub use span::word;
use span::{Edges, Paint};
pub use texture::Textures;

/// A window's pixels, `0xFFRRGGBB` each, row by row.
#[derive(Default)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u32>,
}

/// Half-open pixel bounds.
#[derive(Clone, Copy)]
struct Clip {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Canvas {
    /// An opaque canvas in one colour.
    pub fn reset(&mut self, width: usize, height: usize, colour: u32) {
        (self.width, self.height) = (width, height);
        self.pixels.clear();
        self.pixels.resize(width * height, colour);
    }

    /// Draws primitives in order. `scale` is physical pixels per point.
    pub fn draw(&mut self, primitives: &[ClippedPrimitive], scale: f32, textures: &Textures) {
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            // Callbacks draw with a graphics API; this crate's page has none.
            if let Primitive::Mesh(mesh) = primitive {
                let clip = self.clip(*clip_rect, scale);
                self.mesh(mesh, clip, scale, textures);
            }
        }
    }

    fn clip(&self, rect: Rect, scale: f32) -> Clip {
        let bound = |value: f32, limit: usize| ((value * scale).round() as i64).clamp(0, limit as i64);
        Clip {
            left: bound(rect.min.x, self.width),
            top: bound(rect.min.y, self.height),
            right: bound(rect.max.x, self.width),
            bottom: bound(rect.max.y, self.height),
        }
    }

    fn mesh(&mut self, mesh: &Mesh, clip: Clip, scale: f32, textures: &Textures) {
        let Some(texture) = textures.get(mesh.texture_id) else { return };
        let corner = |index: u32| {
            mesh.vertices.get(index as usize).map(|vertex| Vertex { pos: scaled(vertex.pos, scale), ..*vertex })
        };
        for triangle in mesh.indices.chunks_exact(3) {
            let corners = [corner(triangle[0]), corner(triangle[1]), corner(triangle[2])];
            let [Some(a), Some(b), Some(c)] = corners else { continue };
            if let Some((edges, corners)) = Edges::new([a, b, c]) {
                let paint = Paint::new(&corners, texture);
                self.triangle(&edges, &paint, clip);
            }
        }
    }

    fn triangle(&mut self, edges: &Edges, paint: &Paint, clip: Clip) {
        for row in edges.top.max(clip.top)..edges.bottom.min(clip.bottom) {
            let (from, to) = edges.span(row, clip.left, clip.right);
            if from < to {
                let start = row as usize * self.width;
                paint.fill(&mut self.pixels[start + from as usize..start + to as usize], from, row);
            }
        }
    }
}

fn scaled(position: Pos2, scale: f32) -> Pos2 {
    Pos2::new(position.x * scale, position.y * scale)
}
