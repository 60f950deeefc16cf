//! Documents of earlier versions, brought to this one. The sidecar does the same (`sidecar/migrations.py`); the golden
//! file state-v1.json holds both to it.

use crate::{error::StateError, parameters};
use serde_json::{Map, Value, json};

/// A document of version 1 as one of version 2, and what could not be kept as it was: strengths of `LoRAs` and the shift
/// of the clock become parameters, so that a lane can move them.
///
/// # Errors
/// When what is moved is not what version 1 says.
pub(crate) fn from_1(json: &mut Map<String, Value>) -> Result<Vec<String>, StateError> {
    let mut moved = Moved::default();
    match json.get_mut("loras") {
        None | Some(Value::Null) => {}
        Some(Value::Array(loras)) => {
            for (slot, lora) in loras.iter_mut().enumerate() {
                let Value::Object(lora) = lora else { return Err(refused("`loras` has an entry that is no object")) };
                let strength = lora.remove("strength").unwrap_or(json!(1.0));
                let name = lora.get("name").and_then(Value::as_str).unwrap_or_default();
                moved.number(&format!("lora_{}", slot + 1), &strength, &format!("The strength of LoRA '{name}'"))?;
            }
        }
        Some(_) => return Err(refused("`loras` is not a list")),
    }
    match json.get_mut("clock") {
        None => {}
        Some(Value::Null) => moved.clear("shift"),
        Some(Value::Object(clock)) => match clock.remove("shift") {
            None => {}
            Some(Value::Null) => moved.clear("shift"),
            Some(shift) => moved.number("shift", &shift, "clock.shift")?,
        },
        Some(_) => return Err(refused("`clock` is not an object")),
    }
    json.insert("version".into(), json!(2));
    if !moved.values.is_empty() {
        let given = json.entry("parameters").or_insert_with(|| json!({}));
        let Value::Object(given) = given else { return Err(refused("`parameters` is not an object")) };
        given.extend(moved.values);
    }
    Ok(moved.notes)
}

fn refused(text: &str) -> StateError {
    StateError(text.into())
}

/// What becomes parameters.
#[derive(Default)]
struct Moved {
    values: Map<String, Value>,
    notes: Vec<String>,
}

impl Moved {
    fn clear(&mut self, key: &str) {
        if let Some(index) = parameters::index_of_key(key) {
            self.values.insert(key.into(), json!(parameters::table()[index].default));
        }
    }

    fn number(&mut self, key: &str, value: &Value, what: &str) -> Result<(), StateError> {
        let Some(index) = parameters::index_of_key(key) else { return Err(refused("`loras` has more than 8 entries")) };
        let Some(given) = value.as_f64() else { return Err(StateError(format!("{what} is {value}, not a number"))) };
        let row = &parameters::table()[index];
        let kept = given.clamp(row.min, row.max);
        if kept != given {
            self.notes.push(format!("{what} was {given} and is now {kept}."));
        }
        self.values.insert(key.into(), json!(kept));
        Ok(())
    }
}
