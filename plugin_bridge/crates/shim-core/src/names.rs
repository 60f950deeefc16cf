//! Texts of parameters that the document names: prompt snapshots and LoRAs.

use crate::parameters::{Parameter, Text, table};
use serde_json::{Map, Value};

/// Longest name in a text, in characters: hosts show little, and VST3's texts end at 127 units.
const LONGEST: usize = 60;
/// Snapshots and LoRAs that a document has.
const SLOTS: usize = 8;
/// The keys of the parameters that belong to LoRA slots end in the slot's number.
const LORA: &str = "lora_";

/// The name of the n-th entry, from 1 on, of a list in the document; none for an empty one.
fn entry(json: &Map<String, Value>, list: &str, number: usize) -> Option<String> {
    let name = json.get(list)?.as_array()?.get(number.checked_sub(1)?)?.get("name")?.as_str()?;
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = name.chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    (!name.trim().is_empty()).then(|| name.trim().to_owned())
}

/// `n: name` for a snapshot that has one, so that two of the same name are told apart.
fn snapshot(json: &Map<String, Value>, plain: f64) -> Option<String> {
    let number = plain as usize;
    entry(json, "snapshots", number).map(|name| format!("{number}: {name}"))
}

fn slot(parameter: &Parameter) -> Option<usize> {
    parameter.key.strip_prefix(LORA)?.parse().ok()
}

/// Every name that a text or title may show.
pub(crate) fn all(json: &Map<String, Value>) -> Vec<Option<String>> {
    let names = |list| move |number| entry(json, list, number);
    (1..=SLOTS).map(names("snapshots")).chain((1..=SLOTS).map(names("loras"))).collect()
}

pub(crate) fn display(json: &Map<String, Value>, index: usize, plain: f64) -> String {
    let parameter = &table()[index];
    let named = (parameter.text == Text::Prompt).then(|| snapshot(json, parameter.quantise(plain))).flatten();
    named.unwrap_or_else(|| parameter.display(plain))
}

pub(crate) fn parse(json: &Map<String, Value>, index: usize, text: &str) -> Option<f64> {
    let parameter = &table()[index];
    if parameter.text != Text::Prompt {
        return parameter.parse(text);
    }
    let wanted = text.trim();
    let steps = || 1..=parameter.max as usize;
    let number = steps().find(|&number| snapshot(json, number as f64).is_some_and(|name| name == wanted));
    let named = || steps().find(|&number| entry(json, "snapshots", number).is_some_and(|name| same(&name, wanted)));
    // A number is a number even where a snapshot is called by one.
    let plain = number.map(|number| number as f64).or_else(|| parameter.parse(text));
    plain.or_else(|| named().map(|number| number as f64))
}

fn same(name: &str, text: &str) -> bool {
    name.to_lowercase() == text.to_lowercase()
}

pub(crate) fn title(json: &Map<String, Value>, index: usize) -> String {
    let parameter = &table()[index];
    let named = slot(parameter).and_then(|number| entry(json, "loras", number));
    named.map_or_else(|| parameter.name.to_owned(), |name| format!("{}: {name}", parameter.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::index_of_key;
    use proptest::prelude::*;
    use serde_json::json;

    fn document(names: &[Option<String>]) -> Map<String, Value> {
        let list: Vec<_> = names.iter().map(|name| name.as_ref().map(|name| json!({"name": name}))).collect();
        json!({"snapshots": list, "loras": list}).as_object().cloned().unwrap()
    }

    proptest! {
        #[test]
        fn whatever_snapshots_are_called_their_texts_read_back(
            names in prop::collection::vec(prop::option::of(".{0,80}"), 0..10), plain in 0u8..=8,
        ) {
            let (json, index) = (document(&names), index_of_key("prompt_snapshot").unwrap());
            let text = display(&json, index, f64::from(plain));
            prop_assert!(!text.is_empty() && text.encode_utf16().count() < 128 && !text.contains('\0'));
            prop_assert_eq!(parse(&json, index, &text), Some(f64::from(plain)));
            prop_assert!(title(&json, index_of_key("lora_3").unwrap()).encode_utf16().count() < 256);
        }

        #[test]
        fn names_of_the_wrong_shape_are_as_good_as_none(wrong in prop::sample::select(vec![
            json!(null), json!(1), json!({"name": "x"}), json!([1, "x", [], {"name": 3}]),
        ])) {
            let json = json!({"snapshots": wrong, "loras": wrong}).as_object().cloned().unwrap();
            let index = index_of_key("prompt_snapshot").unwrap();
            prop_assert_eq!(display(&json, index, 4.0), "4");
            prop_assert_eq!(title(&json, index_of_key("lora_4").unwrap()), table()[index_of_key("lora_4").unwrap()].name);
        }
    }

    #[test]
    fn a_filled_slot_is_shown_by_its_name_and_found_by_it() {
        let json = document(&[None, Some("Warm pads".into())]);
        let index = index_of_key("prompt_snapshot").unwrap();
        assert_eq!((display(&json, index, 2.0).as_str(), display(&json, index, 1.0).as_str()), ("2: Warm pads", "1"));
        assert_eq!((parse(&json, index, "warm pads"), parse(&json, index, "a/b")), (Some(2.0), Some(0.0)));
        let lora = index_of_key("lora_2").unwrap();
        assert_eq!(title(&json, lora), format!("{}: Warm pads", table()[lora].name));
    }
}
