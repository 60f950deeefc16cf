//! The state document (docs/architecture.md) with its attachments, as this side keeps it: whole, unknown keys included.

use crate::{error::StateError, migrate, parameters, shared::Shared};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Source audio that travels with a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attachment {
    /// SHA-256 content hash.
    pub hash: [u8; 32],
    /// FLAC.
    pub bytes: Arc<[u8]>,
}

impl Attachment {
    /// The hash as documents write it.
    pub(crate) fn name(&self) -> String {
        self.hash.iter().fold(String::from("sha256:"), |name, byte| format!("{name}{byte:02x}"))
    }

    /// The 32 bytes of `sha256:<64 hex>`.
    pub(crate) fn parse_name(name: &str) -> Option<[u8; 32]> {
        let digits = name.strip_prefix("sha256:").filter(|digits| digits.len() == 64 && digits.is_ascii())?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(hash)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub json: Map<String, Value>,
    pub attachments: Vec<Attachment>,
    /// What migrating it could not keep as it was, in sentences.
    pub notes: Vec<String>,
}

impl Default for Document {
    fn default() -> Self {
        let head = json!({"format": FORMAT, "version": VERSION});
        Self { json: head.as_object().cloned().unwrap_or_default(), attachments: Vec::new(), notes: Vec::new() }
    }
}

pub(crate) const FORMAT: &str = "demon-state";
pub(crate) const VERSION: u64 = 2;

/// Seconds of latency that a document may ask for (`look_ahead`); what is above it counts as this.
const MAX_LOOK_AHEAD: f64 = 30.0;

fn refused(text: impl Into<String>) -> StateError {
    StateError(text.into())
}

/// A document's JSON of this version, checked as far as this side uses it, and what migrating it could not keep.
///
/// # Errors
/// When it is no JSON object, of another format or version, or a known parameter has no finite number.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Map<String, Value>, Vec<String>), StateError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| refused(format!("the document: {error}")))?;
    let Value::Object(mut json) = value else { return Err(refused("the document is not a JSON object")) };
    if json.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(refused(format!("`format` is not \"{FORMAT}\"")));
    }
    let notes = match json.get("version").and_then(Value::as_u64) {
        Some(VERSION) => Vec::new(),
        Some(1) => migrate::from_1(&mut json)?,
        _ => return Err(refused(format!("`version` is not 1 or {VERSION}: update the plugin"))),
    };
    values(&json)?;
    Ok((json, notes))
}

/// The known parameters that a document names: (table index, quantised plain value).
///
/// # Errors
/// When `parameters` is no object or a known parameter has no finite number.
pub(crate) fn values(json: &Map<String, Value>) -> Result<Vec<(usize, f64)>, StateError> {
    let Some(named) = json.get("parameters") else { return Ok(Vec::new()) };
    let Value::Object(named) = named else { return Err(refused("`parameters` is not an object")) };
    let mut values = Vec::new();
    for (key, value) in named {
        let Some(index) = parameters::index_of_key(key).filter(|&index| index != parameters::STATUS) else { continue };
        let plain = value.as_f64().filter(|plain| plain.is_finite());
        let plain = plain.ok_or_else(|| refused(format!("parameter `{key}` is {value}, not a number")))?;
        values.push((index, parameters::table()[index].quantise(plain)));
    }
    Ok(values)
}

impl Document {
    /// The document with the values in force laid over it.
    pub(crate) fn with_values(&self, shared: &Shared) -> Self {
        let mut document = self.clone();
        let parameters = document.json.entry("parameters").or_insert_with(|| json!({}));
        if let Value::Object(parameters) = parameters {
            for (index, value) in shared.host_values() {
                parameters.insert(parameters::table()[index].key.to_owned(), json!(value));
            }
        }
        document
    }

    /// Takes the keys that `json` has, keeps the others, and the attachments that the result still names; returns
    /// whether anything but parameters changed.
    pub(crate) fn merge(&mut self, json: Map<String, Value>, attachments: Vec<Attachment>) -> bool {
        let before = self.clone();
        for (key, value) in json {
            match (self.json.get_mut(&key), value) {
                (Some(Value::Object(old)), Value::Object(new)) if key == "parameters" => old.extend(new),
                (_, value) => drop(self.json.insert(key, value)),
            }
        }
        self.attachments.retain(|old| attachments.iter().all(|new| new.hash != old.hash));
        self.attachments.extend(attachments);
        let json = &self.json;
        self.attachments.retain(|attachment| json.values().any(|value| mentions(value, &attachment.name())));
        self.differs_from(&before)
    }

    /// The latency in samples that the next activation at this rate declares.
    pub(crate) fn latency(&self, rate: u32) -> u32 {
        let seconds = self.json.get("look_ahead").and_then(Value::as_f64).unwrap_or(0.0);
        (seconds.clamp(0.0, MAX_LOOK_AHEAD) * f64::from(rate)).round() as u32
    }

    /// Whether anything but parameters differs.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        let has = |this: &Self, that: &Self| {
            this.json.iter().all(|(key, value)| key == "parameters" || that.json.get(key) == Some(value))
        };
        !has(self, other) || !has(other, self) || self.attachments != other.attachments
    }
}

/// Whether a value names a content hash, at any depth.
pub(crate) fn mentions(value: &Value, hash: &str) -> bool {
    match value {
        Value::String(text) => text == hash,
        Value::Array(list) => list.iter().any(|value| mentions(value, hash)),
        Value::Object(object) => object.values().any(|value| mentions(value, hash)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::MIX;

    fn attachment(byte: u8) -> Attachment {
        Attachment { hash: [byte; 32], bytes: Arc::from(vec![byte; 3]) }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_hash_survives_its_name() {
        let name = attachment(0xa5).name();
        assert_eq!(Attachment::parse_name(&name), Some([0xa5; 32]));
        assert_eq!(Attachment::parse_name(&name[..70]), None);
        assert_eq!(Attachment::parse_name(&name.replace("a5", "g5")), None);
    }

    #[test]
    fn values_in_force_overlay_the_document_and_unknown_keys_stay() {
        let shared = Shared::new("test");
        shared.set_value(MIX, 0.25);
        let json = object(json!({"later": [1, {"x": null}], "parameters": {"future": 3, "mix": 0.5}}));
        let document = Document { json, attachments: vec![], notes: vec![] }.with_values(&shared);
        assert_eq!(document.json["later"], json!([1, {"x": null}]));
        assert_eq!(document.json["parameters"]["future"], json!(3));
        assert_eq!(document.json["parameters"]["mix"], json!(0.25));
        assert!(document.json["parameters"].get("status").is_none());
    }

    #[test]
    fn a_key_that_is_absent_keeps_its_value_and_an_unnamed_attachment_goes() {
        let mut document = Document::default();
        let learned = json!({"seed": 7, "parameters": {"mix": 1.0}, "learned": {"hash": attachment(1).name()}});
        assert!(document.merge(object(learned.clone()), vec![attachment(1)]));
        assert!(!document.merge(object(learned), vec![attachment(1)]), "the same document is no change");
        document.merge(object(json!({"prompts": {"a": "x", "b": ""}})), vec![]);
        assert_eq!((&document.json["seed"], document.attachments.len()), (&json!(7), 1));
        document.merge(object(json!({"learned": null})), vec![]);
        assert!(document.attachments.is_empty());
    }

    #[test]
    fn the_look_ahead_is_a_bounded_latency_at_any_rate_and_none_where_it_is_no_number() {
        let latency = |value: Value, rate| {
            let document = Document { json: object(json!({"look_ahead": value})), ..Document::default() };
            document.latency(rate)
        };
        assert_eq!((latency(json!(1.5), 48_000), latency(json!(0.1), 44_100)), (72_000, 4410));
        assert_eq!((latency(json!(1e9), 8000), latency(json!(-1), 8000)), (240_000, 0));
        assert_eq!(
            (latency(json!("1"), 8000), latency(json!(null), 8000), Document::default().latency(8000)),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_audio_of_a_take_is_kept_for_as_long_as_a_take_names_it() {
        let mut document = Document::default();
        let takes = json!({"takes": [{"slot": "A", "hash": attachment(1).name()}, {"slot": "C"}]});
        document.merge(object(takes), vec![attachment(1)]);
        assert_eq!(document.attachments, [attachment(1)]);
        document.merge(object(json!({"takes": [{"slot": "C"}]})), vec![]);
        assert!(document.attachments.is_empty());
    }

    #[test]
    fn a_parameter_that_is_no_number_is_refused_by_name() {
        for bad in [json!("1"), json!(null), json!(true)] {
            let error = values(&object(json!({"parameters": {"mix": bad}}))).unwrap_err();
            assert!(error.to_string().contains("`mix`"), "{error}");
        }
    }
}
