//! One triangle: which pixels it covers, and their colours.

use egui::{Color32, epaint::Vertex};

use super::texture::Texture;

/// Corners are rounded to 1/256 pixel, so that edges are exact in whole numbers and two triangles that share an edge
/// never both cover, or both miss, a pixel on it.
const UNIT: i64 = 256;

/// Corners farther out than this are cut to it: products of two stay far inside 64 bits.
const LIMIT: f32 = 1e6;

/// `a x + b y + c >= 0` for pixels inside, with x and y in whole pixels (at their centres).
#[derive(Clone, Copy)]
struct Edge {
    a: i64,
    b: i64,
    c: i64,
}

/// The three edges of a triangle, and its rows.
pub struct Edges {
    edges: [Edge; 3],
    pub top: i64,
    pub bottom: i64,
}

impl Edges {
    /// None for a triangle without area. The corners come back in the order that the edges have.
    pub fn new(mut corners: [Vertex; 3]) -> Option<(Self, [Vertex; 3])> {
        let fixed = |value: f32| (value.clamp(-LIMIT, LIMIT) * UNIT as f32).round() as i64;
        let place = |vertex: &Vertex| (fixed(vertex.pos.x), fixed(vertex.pos.y));
        let [a, b, c] = [place(&corners[0]), place(&corners[1]), place(&corners[2])];
        let area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        if area == 0 || !corners.iter().all(|vertex| vertex.pos.is_finite()) {
            return None;
        }
        let mut points = [a, b, c];
        if area < 0 {
            corners.swap(1, 2);
            points.swap(1, 2);
        }
        let edges = [
            Edge::between(points[0], points[1]),
            Edge::between(points[1], points[2]),
            Edge::between(points[2], points[0]),
        ];
        let rows = points.map(|point| point.1);
        let low = rows.iter().min()?.div_euclid(UNIT);
        let high = rows.iter().max()?.div_euclid(UNIT) + 1;
        Some((Self { edges, top: low, bottom: high }, corners))
    }

    /// The half-open run of covered pixels in a row.
    pub fn span(&self, row: i64, left: i64, right: i64) -> (i64, i64) {
        let (mut from, mut to) = (left, right);
        for edge in &self.edges {
            let rest = edge.b * row + edge.c;
            match edge.a.signum() {
                1 => from = from.max(-rest.div_euclid(edge.a)),
                -1 => to = to.min(rest.div_euclid(-edge.a) + 1),
                _ if rest < 0 => return (0, 0),
                _ => {}
            }
        }
        (from, to)
    }
}

impl Edge {
    /// Inside is to the right of the way from `p` to `q`, in a picture whose rows go down.
    fn between(p: (i64, i64), q: (i64, i64)) -> Self {
        let (dx, dy) = (q.0 - p.0, q.1 - p.1);
        // A pixel on an edge belongs to the triangle below it or to the right of it.
        let owns = dy < 0 || (dy == 0 && dx > 0);
        // dx (y - py) - dy (x - px) at x = UNIT * column + UNIT / 2
        let centre = UNIT / 2;
        let c = dx * (centre - p.1) - dy * (centre - p.0) - i64::from(!owns);
        Self { a: -dy * UNIT, b: dx * UNIT, c }
    }
}

/// A value that is linear over the plane.
#[derive(Clone, Copy)]
pub struct Plane {
    origin: f32,
    across: f32,
    down: f32,
}

impl Plane {
    fn new(corners: &[Vertex; 3], values: [f32; 3]) -> Self {
        let [a, b, c] = [corners[0].pos, corners[1].pos, corners[2].pos];
        let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        let area = bx * cy - by * cx;
        let (db, dc) = (values[1] - values[0], values[2] - values[0]);
        let across = (db * cy - dc * by) / area;
        let down = (dc * bx - db * cx) / area;
        Self { origin: values[0] - across * a.x - down * a.y, across, down }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        self.origin + self.across * x + self.down * y
    }
}

/// What fills a triangle.
pub enum Paint<'a> {
    Flat(Color32),
    /// Red, green, blue and alpha, 0 to 255 each.
    Shaded([Plane; 4]),
    Textured {
        texture: &'a Texture,
        tint: Color32,
        u: Plane,
        v: Plane,
    },
}

impl<'a> Paint<'a> {
    pub fn new(corners: &[Vertex; 3], texture: &'a Texture) -> Self {
        let [a, b, c] = corners;
        if a.uv != b.uv || b.uv != c.uv {
            let u = Plane::new(corners, [a.uv.x, b.uv.x, c.uv.x]);
            let v = Plane::new(corners, [a.uv.y, b.uv.y, c.uv.y]);
            return Self::Textured { texture, tint: a.color, u, v };
        }
        if a.color == b.color && b.color == c.color {
            return Self::Flat(a.color);
        }
        let channels = corners.map(|corner| corner.color.to_array().map(f32::from));
        let plane = |channel: usize| Plane::new(corners, channels.map(|values| values[channel]));
        Self::Shaded([plane(0), plane(1), plane(2), plane(3)])
    }

    /// Fills pixels of one row, the first of which is at `column`.
    pub fn fill(&self, pixels: &mut [u32], column: i64, row: i64) {
        let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
        match self {
            Self::Flat(colour) if colour.a() == 255 => pixels.fill(word(*colour)),
            Self::Flat(colour) => pixels.iter_mut().for_each(|pixel| *pixel = over(*colour, *pixel)),
            Self::Shaded(planes) => {
                for (step, pixel) in pixels.iter_mut().enumerate() {
                    let [r, g, b, a] = planes.map(|plane| (plane.at(x + step as f32, y) + 0.5) as u8);
                    *pixel = over(Color32::from_rgba_premultiplied(r, g, b, a), *pixel);
                }
            }
            Self::Textured { texture, tint, u, v } => {
                for (step, pixel) in pixels.iter_mut().enumerate() {
                    let across = x + step as f32;
                    *pixel = over(times(texture.at(u.at(across, y), v.at(across, y)), *tint), *pixel);
                }
            }
        }
    }
}

/// A visual with an alpha channel takes the top byte for one.
const OPAQUE: u32 = 0xff00_0000;

/// A colour without transparency as a pixel.
pub fn word(colour: Color32) -> u32 {
    let [r, g, b, _] = colour.to_array().map(u32::from);
    OPAQUE | r << 16 | g << 8 | b
}

/// x / 255, rounded, for x up to 255 * 255.
fn over_255(x: u32) -> u32 {
    (x + 128 + ((x + 128) >> 8)) >> 8
}

fn times(texel: Color32, tint: Color32) -> Color32 {
    let (texel, tint) = (texel.to_array().map(u32::from), tint.to_array().map(u32::from));
    let [r, g, b, a] = std::array::from_fn(|channel| over_255(texel[channel] * tint[channel]) as u8);
    Color32::from_rgba_premultiplied(r, g, b, a)
}

/// `colour`, premultiplied, over an opaque pixel; in gamma space, as egui's own painters do.
fn over(colour: Color32, pixel: u32) -> u32 {
    let [r, g, b, a] = colour.to_array().map(u32::from);
    if a == 0 && r | g | b == 0 {
        return pixel;
    }
    let rest = 255 - a;
    let channel = |value: u32, shift: u32| (value + over_255((pixel >> shift & 255) * rest)).min(255) << shift;
    OPAQUE | channel(r, 16) | channel(g, 8) | channel(b, 0)
}
