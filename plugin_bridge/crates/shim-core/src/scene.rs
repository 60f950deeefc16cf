//! What an instance does right now, as an editor draws it (PROTOCOL section 2, `scene`).

use serde::{Deserialize, Serialize};

/// Bounds of PROTOCOL section 2: ten minutes of frames, and as many lanes as fit beside each other.
const MAX_FRAMES: u32 = 15_000;
const MAX_LANES: usize = 16;
const MAX_MISSING: usize = 64;

/// The numbers and words of a scene; frame 0 of the message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneHead {
    /// The song frame of index 0 of every list.
    pub region_start: i64,
    /// Frames of the region, 0 where there is none; 25 a second.
    pub frames: u32,
    /// Song frame.
    pub playhead: i64,
    /// Frames per tick of the clock in force.
    pub tick_frames: u32,
    /// Ticks a second, measured.
    pub ticks: f64,
    /// Ticks a second that this machine sustains, measured; 0 before it was.
    pub sustained: f64,
    /// Frames behind the clock.
    pub lag: u32,
    /// Windows of this pass that came too late.
    pub late: u32,
    /// Generations so far.
    pub generation: u32,
    /// Where the model runs, for people.
    pub device: String,
    pub backend: String,
    pub checkpoint: String,
    /// What the document names and this machine lacks.
    pub missing: Vec<Missing>,
    /// Keys of the lanes that are not constant at their default.
    pub lanes: Vec<String>,
    /// Frames that the pass has heard so far, of a track that it is the first to hear.
    #[serde(default)]
    pub learning: u32,
}

/// Content that a document names and this machine lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// "source", "lora" or "checkpoint".
    pub kind: String,
    pub name: String,
    /// What to do, one sentence.
    pub fix: String,
}

/// A whole scene. Every list has `head.frames` elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    pub head: SceneHead,
    /// 0: nothing rendered; else 255 less the age in generations, at least 1.
    pub coverage: Vec<u8>,
    /// One curve of plain values for each key of `head.lanes`.
    pub lanes: Vec<Vec<f32>>,
    /// (lowest, highest) sample of each frame of the source, 127 is full scale.
    pub source: Vec<(i8, i8)>,
    /// The same of what was rendered.
    pub output: Vec<(i8, i8)>,
}

impl Scene {
    /// From the head and the four further frames.
    ///
    /// # Errors
    /// When the head is over a bound or a frame is not as long as the head says.
    pub(crate) fn decode(head: SceneHead, frames: &[&[u8]]) -> Result<Self, String> {
        if head.frames > MAX_FRAMES || head.lanes.len() > MAX_LANES || head.missing.len() > MAX_MISSING {
            return Err("scene: more than 15000 frames, 16 lanes or 64 missing".into());
        }
        let count = head.frames as usize;
        let &[coverage, lanes, source, output] = frames else {
            return Err(format!("scene: {} further frames instead of 4", frames.len()));
        };
        let wanted = [count, head.lanes.len() * count * 4, count * 2, count * 2];
        if [coverage, lanes, source, output].map(<[u8]>::len) != wanted {
            return Err(format!("scene: its frames are not those of {count} frames and {} lanes", head.lanes.len()));
        }
        let lane = |index: usize| floats(&lanes[index * count * 4..(index + 1) * count * 4]);
        let lanes = (0..head.lanes.len()).map(lane).collect();
        Ok(Self { coverage: coverage.to_vec(), lanes, source: peaks(source), output: peaks(output), head })
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let word = |four: &[u8]| four.try_into().map_or(0.0, f32::from_le_bytes);
    // An editor divides by ranges and multiplies into pixels: what is not finite becomes 0 here, once.
    bytes.chunks_exact(4).map(word).map(|value| if value.is_finite() { value } else { 0.0 }).collect()
}

fn peaks(bytes: &[u8]) -> Vec<(i8, i8)> {
    bytes.chunks_exact(2).map(|pair| (pair[0] as i8, pair[1] as i8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(frames: u32, lanes: usize) -> SceneHead {
        SceneHead { frames, lanes: (0..lanes).map(|lane| lane.to_string()).collect(), ..SceneHead::default() }
    }

    proptest! {
        #[test]
        fn what_is_decoded_has_the_lengths_that_the_head_says(
            frames in 0u32..40, lanes in 0usize..4,
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..6),
        ) {
            let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            if let Ok(scene) = Scene::decode(head(frames, lanes), &borrowed) {
                let count = frames as usize;
                prop_assert_eq!((scene.coverage.len(), scene.lanes.len()), (count, lanes));
                prop_assert!(scene.lanes.iter().all(|lane| lane.len() == count));
                prop_assert_eq!((scene.source.len(), scene.output.len()), (count, count));
            }
        }

        #[test]
        fn a_scene_of_the_right_lengths_is_taken(frames in 0u32..200, lanes in 0usize..=16, byte: u8) {
            let count = frames as usize;
            let parts = [count, lanes * count * 4, 2 * count, 2 * count].map(|length| vec![byte; length]);
            let scene = Scene::decode(head(frames, lanes), &parts.each_ref().map(Vec::as_slice)).unwrap();
            prop_assert!(scene.lanes.iter().flatten().all(|value| value.is_finite()));
            prop_assert!(scene.source.iter().all(|&pair| pair == (byte as i8, byte as i8)));
        }
    }

    #[test]
    fn a_scene_over_a_bound_is_refused() {
        let empty: [&[u8]; 4] = [&[]; 4];
        assert!(Scene::decode(head(0, 16), &empty).is_ok());
        assert!(Scene::decode(head(0, 17), &empty).is_err());
        assert!(Scene::decode(head(MAX_FRAMES + 1, 0), &empty).is_err());
        assert!(Scene::decode(head(0, 0), &empty[..3]).is_err());
    }
}
