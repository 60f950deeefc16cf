//! The parameter table of `parameters.toml`, compiled in.

/// How a host's curve becomes one value per frame (PROTOCOL section 3, "the frame rule").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// The curve at the frame's centre, sent into the model.
    Lane,
    /// The curve at the frame's start.
    Stepped,
    /// Written by the plugin, read-only for the host.
    Status,
}

/// Who evaluates the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Engine,
    Output,
    Shim,
}

/// How a value reads as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Percent,
    Decibel,
    Factor,
    Integer,
    Switch,
    Choice,
    /// 0 is prompts A and B, n the n-th prompt snapshot.
    Prompt,
}

/// One row of the table. Values are plain (in the parameter's own unit) unless called normal (0 to 1).
#[derive(Debug)]
pub struct Parameter {
    /// Stable for ever, 1 to 65535.
    pub id: u32,
    pub key: &'static str,
    pub name: &'static str,
    /// The group it is listed in: a VST3 unit, a CLAP module.
    pub module: &'static str,
    /// Empty where there is none. Not part of [`Parameter::display`].
    pub unit: &'static str,
    pub min: f64,
    pub max: f64,
    pub default: f64,
    /// The number of steps between `min` and `max`; none for a continuous parameter.
    pub steps: Option<u32>,
    pub curve: Curve,
    pub target: Target,
    pub text: Text,
    /// The names of the values, for [`Text::Choice`].
    pub choices: &'static [&'static str],
    /// Whether a host may draw a lane for it.
    pub automatable: bool,
    /// Whether it is the session's own: a preset that does not name it leaves it.
    pub session: bool,
}

/// A group of parameters: a VST3 unit, a CLAP module.
#[derive(Debug)]
pub struct Module {
    /// Stable for ever, 1 to 999.
    pub id: u32,
    pub name: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/parameters.rs"));

/// A continuous value is rounded to this fraction of its range, the finest grid that float32 hosts also hit.
const GRID: f64 = 65536.0;

/// Every parameter, in the order of the file.
pub fn table() -> &'static [Parameter] {
    &TABLE
}

/// The modules, in the order that hosts list them. Every parameter's is one of them.
pub fn modules() -> &'static [Module] {
    &MODULES
}

/// The table index of a parameter id.
pub fn index_of(id: u32) -> Option<usize> {
    TABLE.iter().position(|parameter| parameter.id == id)
}

/// The table index of a parameter key.
pub fn index_of_key(key: &str) -> Option<usize> {
    TABLE.iter().position(|parameter| parameter.key == key)
}

impl Parameter {
    /// The nearest legal value: clamped, on the grid of 1/65536 of the range (whole steps where there are steps).
    /// Not a number becomes the default.
    pub fn quantise(&self, plain: f64) -> f64 {
        if plain.is_nan() {
            return self.default;
        }
        let (grid, span) = (self.steps.map_or(GRID, f64::from), self.max - self.min);
        let position = ((plain.clamp(self.min, self.max) - self.min) / span * grid + 0.5).floor();
        // The step's size first: it is 1 or a power of two, so that whole numbers come out whole.
        self.min + position * (span / grid)
    }

    /// Plain to 0..=1.
    pub fn normalise(&self, plain: f64) -> f64 {
        (self.quantise(plain) - self.min) / (self.max - self.min)
    }

    /// 0..=1 to plain, quantised.
    pub fn plain(&self, normal: f64) -> f64 {
        self.quantise(self.min + normal * (self.max - self.min))
    }

    /// The value as a user reads it, without the unit.
    pub fn display(&self, plain: f64) -> String {
        let value = self.quantise(plain);
        match self.text {
            Text::Percent => decimal(value * 100.0, 1),
            Text::Decibel => decimal(value, 2),
            Text::Factor => decimal(value, 3),
            Text::Integer => format!("{value:.0}"),
            Text::Switch => (if value >= 0.5 { "On" } else { "Off" }).to_owned(),
            Text::Choice => self.choices[(value - self.min) as usize].to_owned(),
            Text::Prompt if value < 0.5 => "A/B".to_owned(),
            Text::Prompt => format!("{value:.0}"),
        }
    }

    /// What a user typed, with or without the unit, as a quantised plain value; none if it is no value.
    pub fn parse(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        if let Some(choice) = self.choices.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Some(self.min + choice as f64);
        }
        if self.text == Text::Prompt && text.eq_ignore_ascii_case("a/b") {
            return Some(0.0);
        }
        if self.text == Text::Switch {
            match text.to_ascii_lowercase().as_str() {
                "on" => return Some(1.0),
                "off" => return Some(0.0),
                _ => {}
            }
        }
        let bare = match text.len().checked_sub(self.unit.len()).filter(|&at| text.is_char_boundary(at)) {
            Some(at) if text[at..].eq_ignore_ascii_case(self.unit) => text[..at].trim_end(),
            _ => text,
        };
        let value: f64 = bare.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(self.quantise(if self.text == Text::Percent { value / 100.0 } else { value }))
    }
}

/// So many decimals; what rounds to zero has no sign.
fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_parameter() -> impl Strategy<Value = &'static Parameter> {
        (0..COUNT).prop_map(|index| &TABLE[index])
    }

    proptest! {
        #[test]
        fn quantising_is_idempotent_and_stays_in_range(parameter in any_parameter(), plain in any::<f64>()) {
            let once = parameter.quantise(plain);
            prop_assert!((parameter.min..=parameter.max).contains(&once));
            prop_assert_eq!(parameter.quantise(once).to_bits(), once.to_bits());
            prop_assert!(parameter.steps.is_none() || once.fract() == 0.0);
        }

        #[test]
        fn a_float32_host_and_a_float64_host_mean_the_same_value(parameter in any_parameter(), grid in 0u32..=65536) {
            let normal = f64::from(grid) / 65536.0;
            let plain = parameter.plain(normal);
            prop_assert_eq!(parameter.plain(f64::from(parameter.normalise(plain) as f32)).to_bits(), plain.to_bits());
            prop_assert_eq!(parameter.quantise(f64::from(plain as f32)).to_bits(), plain.to_bits());
        }

        #[test]
        fn text_reads_back_as_the_same_text(parameter in any_parameter(), normal in 0.0f64..=1.0) {
            let text = parameter.display(parameter.plain(normal));
            let value = parameter.parse(&text).unwrap();
            prop_assert_eq!(parameter.display(value), text.clone());
            let with_unit = format!("{text} {}", parameter.unit);
            prop_assert_eq!(parameter.parse(&with_unit), Some(value));
            let shown = if parameter.text == Text::Decibel { 0.01 } else { 0.001 };
            prop_assert!((value - parameter.plain(normal)).abs() <= 0.51 * shown || parameter.steps.is_some());
        }

        #[test]
        fn zero_is_read_without_a_sign(parameter in any_parameter(), close in -0.0004f64..0.0) {
            prop_assert!(!parameter.display(close).starts_with('-'));
        }

        #[test]
        fn any_text_is_parsed_or_refused(parameter in any_parameter(), text in ".{0,12}") {
            if let Some(value) = parameter.parse(&text) {
                prop_assert!((parameter.min..=parameter.max).contains(&value));
            }
        }
    }

    #[test]
    fn not_a_number_becomes_the_default() {
        for parameter in table() {
            assert_eq!(parameter.quantise(f64::NAN), parameter.default);
        }
    }

    #[test]
    fn the_default_is_on_the_grid() {
        for parameter in table() {
            assert_eq!(parameter.quantise(parameter.default), parameter.default, "{}", parameter.key);
        }
    }

    #[test]
    fn an_id_finds_its_row() {
        assert_eq!(index_of(table()[MIX].id), Some(MIX));
        assert_eq!(index_of_key("mix"), Some(MIX));
        assert_eq!(index_of(0), None);
    }
}
