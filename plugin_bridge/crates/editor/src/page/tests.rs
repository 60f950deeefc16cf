use std::sync::Mutex;

use egui::{Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, vec2};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Begin(usize),
    Perform(usize, f64),
    End(usize),
    Size(u32, u32),
}

/// A host that writes down what it is told, and holds the values as a plugin format does.
struct Host {
    told: Mutex<Vec<Told>>,
    instance: Arc<Instance>,
}

impl HostGestures for Host {
    fn begin(&self, index: usize) {
        self.told.lock().unwrap().push(Told::Begin(index));
    }

    fn perform(&self, index: usize, plain: f64) {
        self.instance.set_value(index, plain);
        self.told.lock().unwrap().push(Told::Perform(index, plain));
    }

    fn end(&self, index: usize) {
        self.told.lock().unwrap().push(Told::End(index));
    }
}

impl HostWindow for Host {
    fn request_size(&self, width: u32, height: u32) {
        self.told.lock().unwrap().push(Told::Size(width, height));
    }
}

/// The page in egui's own context, without a window.
struct Desk {
    page: Page,
    host: Arc<Host>,
    context: egui::Context,
    events: Vec<Event>,
    time: f64,
}

impl Desk {
    fn new() -> Self {
        let instance = Instance::new("test");
        let host = Arc::new(Host { told: Mutex::default(), instance: Arc::clone(&instance) });
        let page = Page::new(instance, Arc::clone(&host) as _, Arc::clone(&host) as _);
        let context = egui::Context::default();
        dress(&context);
        let mut desk = Self { page, host, context, events: Vec::new(), time: 0.0 };
        // egui knows what was where only from the frame before.
        desk.frame();
        desk.frame();
        desk
    }

    fn frame(&mut self) {
        self.time += 0.05;
        let (width, height) = crate::SIZE;
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(width as f32, height as f32));
        let events = std::mem::take(&mut self.events);
        let raw = RawInput { screen_rect: Some(screen), time: Some(self.time), events, ..RawInput::default() };
        let page = &mut self.page;
        self.context.run_ui(raw, |ui| page.show(ui)).drop_without_applying_deltas();
    }

    fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.host.told.lock().unwrap())
    }

    fn point(&mut self, place: Pos2) {
        self.events.push(Event::PointerMoved(place));
        self.frame();
    }

    fn button(&mut self, pos: Pos2, pressed: bool, modifiers: Modifiers) {
        let button = PointerButton::Primary;
        self.events.push(Event::PointerButton { pos, button, pressed, modifiers });
        self.frame();
    }

    fn key(&mut self, key: Key) {
        for pressed in [true, false] {
            let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
            self.events.push(Event::Key { key, physical_key, pressed, repeat, modifiers });
            self.frame();
        }
    }

    /// A click, and the frame that egui asks for after it.
    fn click(&mut self, key: &str) {
        let place = self.place(key);
        self.point(place);
        self.button(place, true, Modifiers::NONE);
        self.button(place, false, Modifiers::NONE);
        self.frame();
    }

    fn type_text(&mut self, text: &str) {
        self.events.push(Event::Text(text.to_owned()));
        self.frame();
    }

    /// The middle of a parameter's dial.
    fn place(&self, key: &str) -> Pos2 {
        self.page.knobs.place(index(key)).unwrap_or_else(|| panic!("{key} is not on the page")).center()
    }
}

fn index(key: &str) -> usize {
    parameters::index_of_key(key).unwrap()
}

#[test]
fn a_drag_begins_performs_and_ends() {
    let mut desk = Desk::new();
    let (denoise, start) = (index("denoise"), desk.place("denoise"));
    desk.point(start);
    desk.button(start, true, Modifiers::NONE);
    for down in [10.0, 20.0, 44.0] {
        desk.point(start + vec2(0.0, down));
    }
    desk.button(start + vec2(0.0, 44.0), false, Modifiers::NONE);
    let told = desk.told();
    assert_eq!((told.first(), told.last()), (Some(&Told::Begin(denoise)), Some(&Told::End(denoise))));
    let moved = &told[1..told.len() - 1];
    assert!(!moved.is_empty() && moved.iter().all(|told| matches!(told, Told::Perform(index, _) if *index == denoise)));
    // 44 points down of the 220 for the whole range.
    let plain = desk.page.instance.value(denoise);
    assert!((plain - (0.75 - 0.2)).abs() < 0.001, "{plain}");
}

#[test]
fn a_window_that_closes_in_a_drag_lets_go_of_the_parameter() {
    let mut desk = Desk::new();
    let start = desk.place("denoise");
    desk.point(start);
    desk.button(start, true, Modifiers::NONE);
    desk.point(start + vec2(0.0, 30.0));
    let host = Arc::clone(&desk.host);
    drop(desk);
    assert_eq!(host.told.lock().unwrap().last(), Some(&Told::End(index("denoise"))));
}

#[test]
fn a_double_click_and_a_click_with_control_give_the_default() {
    for (modifiers, clicks) in [(Modifiers::NONE, 2), (Modifiers::COMMAND, 1)] {
        let mut desk = Desk::new();
        let (denoise, place) = (index("denoise"), desk.place("denoise"));
        desk.page.instance.set_value(denoise, 0.25);
        desk.events.push(Event::ModifiersChanged(modifiers));
        desk.point(place);
        for _ in 0..clicks {
            desk.button(place, true, modifiers);
            desk.button(place, false, modifiers);
        }
        assert_eq!(desk.page.instance.value(denoise), parameters::table()[denoise].default, "{modifiers:?}");
    }
}

#[test]
fn arrow_keys_move_the_knob_that_has_the_focus() {
    let mut desk = Desk::new();
    let denoise = index("denoise");
    desk.click("denoise");
    desk.told();
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowUp);
    let told = desk.told();
    let performed = told.iter().filter(|told| matches!(told, Told::Perform(..))).count();
    assert_eq!((performed, told.len()), (3, 9), "each step is a gesture of its own: {told:?}");
    let plain = desk.page.instance.value(denoise);
    assert!((plain - 0.74).abs() < 0.001, "{plain}");
}

#[test]
fn a_typed_value_is_taken_and_one_that_is_none_is_not() {
    let mut desk = Desk::new();
    let denoise = index("denoise");
    desk.click("denoise");
    for (text, expected) in [("33 %", 0.33), ("nonsense", 0.33)] {
        desk.key(Key::Enter);
        desk.frame();
        desk.type_text(text);
        desk.key(Key::Enter);
        desk.key(Key::Escape);
        let plain = desk.page.instance.value(denoise);
        assert!((plain - expected).abs() < 0.001, "{text}: {plain}");
    }
}

#[test]
fn the_tab_key_reaches_every_parameter_that_is_shown() {
    let mut desk = Desk::new();
    let shown: Vec<usize> = (0..parameters::COUNT).filter(|index| desk.page.knobs.place(*index).is_some()).collect();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..200 {
        desk.key(Key::Tab);
        reached.extend(desk.page.knobs.focused);
    }
    let writable = |index: &usize| *index != parameters::STATUS;
    let missed: Vec<_> = shown.iter().filter(|index| writable(index) && !reached.contains(index)).collect();
    assert!(shown.len() > 10 && missed.is_empty(), "{missed:?} of {}", shown.len());
}

#[test]
fn an_instance_that_changes_is_drawn_again_and_one_that_does_not_is_not() {
    let mut desk = Desk::new();
    assert!(desk.page.changed());
    assert!(!desk.page.changed());
    desk.page.instance.set_value(index("mix"), 0.5);
    assert!(desk.page.changed());
    assert!(!desk.page.changed());
}

#[test]
fn control_with_plus_and_minus_zooms_and_asks_for_a_window_that_holds_it() {
    let mut desk = Desk::new();
    let press = |desk: &mut Desk, key| {
        let (physical_key, repeat, modifiers) = (None, false, Modifiers::COMMAND);
        desk.events.push(Event::Key { key, physical_key, pressed: true, repeat, modifiers });
        desk.frame();
    };
    for _ in 0..6 {
        press(&mut desk, Key::Plus);
    }
    assert_eq!(desk.page.zoom(), 2.0);
    let (width, height) = crate::SIZE;
    assert_eq!(desk.told().first(), Some(&Told::Size(width * 5 / 4, height * 5 / 4)));
    press(&mut desk, Key::Minus);
    assert_eq!(desk.page.zoom(), 1.75);
    press(&mut desk, Key::Num0);
    assert_eq!(desk.page.zoom(), 1.0);
}

/// A pass as the sidecar describes it: half rendered, with one lane.
fn scene() -> Scene {
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
    use crate::raster::{Canvas, Textures, word};
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
