//! How a project has the editor: how large it is, and what of the song its waveform shows.
//!
//! It lies in the project beside what is heard, and is none of it: the sidecar never sees it, undo does not touch it, and
//! changing it does not mark the project changed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Its key in the state document.
const KEY: &str = "editor";

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Width and height of the window in points of the host's scale; none before it was ever resized.
    pub size: Option<(u32, u32)>,
    /// Percent of the host's scale; none is 100.
    pub zoom: Option<u32>,
    /// What the waveform shows: frames from the start of the region on, and how many; none is all of it.
    pub wave: Option<(f64, f64)>,
}

impl Look {
    /// Takes it out of a document. What is no look, or of a version to come, is as good as none.
    pub(crate) fn take(json: &mut Map<String, Value>) -> Self {
        json.remove(KEY).and_then(|look| serde_json::from_value(look).ok()).unwrap_or_default()
    }

    /// Puts it into a document that is saved; what nobody ever changed is left out.
    pub(crate) fn put(self, json: &mut Map<String, Value>) {
        if self != Self::default()
            && let Ok(look) = serde_json::to_value(self)
        {
            json.insert(KEY.to_owned(), look);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instance;
    use serde_json::json;

    #[test]
    fn a_project_keeps_how_the_editor_was_and_nobody_else_sees_it() {
        let look = Look { size: Some((1200, 800)), zoom: Some(150), wave: Some((12.5, 100.0)) };
        let (first, second) = (Instance::new("test"), Instance::new("test"));
        let plain = first.save_state();
        first.set_look(look);
        second.load_state(&first.save_state()).unwrap();
        assert_eq!(second.look(), look);
        assert!(!second.document().contains_key(KEY));
        assert_eq!(second.steps(), (false, false));
        second.load_state(&plain).unwrap();
        assert_eq!(second.look(), Look::default());
        assert_eq!(second.save_state(), plain);
    }

    #[test]
    fn what_is_no_look_is_none() {
        for bad in [json!(1), json!({"zoom": "x"}), json!({"size": [1]}), json!({"wave": [null, 1]}), json!([])] {
            let mut json = json!({"editor": bad, "seed": 1}).as_object().unwrap().clone();
            assert_eq!(Look::take(&mut json), Look::default(), "{bad}");
            assert_eq!(json.len(), 1);
        }
        let mut json = json!({"editor": {"zoom": 125, "colour": "red"}}).as_object().unwrap().clone();
        assert_eq!(Look::take(&mut json), Look { zoom: Some(125), ..Look::default() });
    }
}
