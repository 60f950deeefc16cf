//! The main-thread side of one plugin instance.

use crate::{
    ActivateError, Look, PresetError, Processor, StateError, Status,
    core::Core,
    document::{self, Document},
    link::{Command, Link},
    log, parameters,
    preset::Preset,
    processor::Parked,
    ring::{AudioEnds, LinkEnds, rings},
    shared::Shared,
    state,
    timeline::Timeline,
    trap,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What changed, told to the format layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something worth saving changed: tell the host that the project is dirty.
    DocumentChanged,
    /// [`Instance::status`] or its text changed.
    StatusChanged,
    /// Parameter values changed other than through the host: tell it to read them again.
    ValuesChanged,
    /// Titles or texts of parameters changed: [`Instance::title`], [`Instance::display`].
    NamesChanged,
    /// The document asks for another latency than the one declared: ask the host to activate anew.
    LatencyChanged,
}

pub(crate) type Notifier = Box<dyn Fn(Notice) + Send + Sync>;

/// One plugin instance. Every method may be called on any thread but the audio thread.
pub struct Instance {
    pub(crate) shared: Arc<Shared>,
    /// What the last processor left; the first activation makes it.
    parked: Parked,
    engaged: Mutex<Engaged>,
}

/// What activation starts.
#[derive(Default)]
struct Engaged {
    link: Option<Link>,
    /// The epoch of the last timeline.
    epoch: u32,
    active: bool,
    /// In Hz, of the last activation; 0 before the first.
    rate: u32,
}

impl Instance {
    /// Cheap: starts nothing. `host` is the host's name, for the sidecar's list.
    pub fn new(host: &str) -> Arc<Self> {
        trap::prepare();
        let shared = Arc::new(Shared::new(host));
        Arc::new(Self { shared, parked: Parked::default(), engaged: Mutex::default() })
    }

    /// Makes the audio-thread side. `rate` in Hz, 8000 to 384000. The timeline is made anew only when the rate changed.
    ///
    /// # Errors
    /// [`ActivateError`] when active already, at an unserved rate, or when memory or a thread is refused.
    pub fn activate(self: &Arc<Self>, rate: u32, _max_block: usize) -> Result<Processor, ActivateError> {
        if !(8000..=384_000).contains(&rate) {
            return Err(ActivateError::Rate(rate));
        }
        let mut engaged = self.engaged();
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if engaged.active && parked.is_none() {
            return Err(ActivateError::Active);
        }
        let core = match parked.take() {
            Some(core) if core.timeline.layout.rate == rate => core,
            Some(mut core) => match engaged.timeline(&self.shared, rate) {
                Ok(timeline) => {
                    core.replace_timeline(timeline);
                    core
                }
                Err(error) => {
                    *parked = Some(core);
                    return Err(error);
                }
            },
            None => self.first_core(&mut engaged, rate)?,
        };
        (engaged.active, engaged.rate) = (true, rate);
        let latency = self.shared.activate(rate);
        drop(parked);
        Ok(Processor::new(core, self.parked.clone(), latency))
    }

    fn first_core(&self, engaged: &mut Engaged, rate: u32) -> Result<Box<Core>, ActivateError> {
        let (audio, link): (AudioEnds, LinkEnds) = rings();
        engaged.link = Some(Link::start(self.shared.clone(), link).map_err(ActivateError::Link)?);
        let timeline = engaged.timeline(&self.shared, rate)?;
        Ok(Box::new(Core::new(self.shared.clone(), timeline, audio)))
    }

    /// Takes the audio-thread side back; a running pass ends. Timeline and link stay.
    pub fn deactivate(&self, processor: Processor) {
        drop(processor);
        self.shared.deactivate();
        self.engaged().active = false;
    }

    /// Samples a second of the last activation, which song samples are counted in; none before the first.
    pub fn rate(&self) -> Option<u32> {
        let rate = self.engaged().rate;
        (rate > 0).then_some(rate)
    }

    /// Samples that an activation at this rate would declare.
    pub fn latency(&self, rate: u32) -> u32 {
        self.shared.draft().document.latency(rate)
    }

    /// The plain value of a parameter, by table index.
    pub fn value(&self, index: usize) -> f64 {
        self.shared.value(index)
    }

    /// Sets a plain value outside `process`; quantised. The running processor hears it at its next block.
    pub fn set_value(&self, index: usize, plain: f64) {
        if index != parameters::STATUS {
            self.shared.set_value(index, parameters::table()[index].quantise(plain));
        }
    }

    /// The blob a host saves (PROTOCOL section 6). Never waits for the sidecar.
    pub fn save_state(&self) -> Vec<u8> {
        let mut document = self.shared.draft().document.with_values(&self.shared);
        self.shared.look().put(&mut document.json);
        state::save(&document)
    }

    /// Loads what [`Instance::save_state`] gave, as a whole or not at all. Never waits for the sidecar.
    ///
    /// # Errors
    /// [`StateError`] when the blob is short, long, unknown, over a bound or fails its checksum.
    pub fn load_state(&self, blob: &[u8]) -> Result<(), StateError> {
        let mut document = state::load(blob)?;
        let look = Look::take(&mut document.json);
        for note in &document.notes {
            log::line(&self.shared.id, note);
        }
        self.put(document)?;
        self.shared.set_look(look);
        Ok(())
    }

    /// Loads a preset, as a whole or not at all; [`Instance::undo`] takes it back. Never waits for the sidecar.
    ///
    /// # Errors
    /// [`PresetError`] when it names a parameter with no finite number.
    pub fn load_preset(&self, preset: &Preset) -> Result<(), PresetError> {
        let json = preset.document();
        let values = document::values(&json).map_err(|error| PresetError::new(&preset.name, error.0))?;
        self.shared.load_preset(json);
        self.put_values(&values);
        self.shared.notify(Notice::DocumentChanged);
        Ok(())
    }

    fn put(&self, document: Document) -> Result<(), StateError> {
        let values = document::values(&document.json)?;
        self.shared.load(document);
        self.put_values(&values);
        Ok(())
    }

    /// Values that came with a document, which goes to the sidecar as a whole.
    fn put_values(&self, values: &[(usize, f64)]) {
        for &(index, value) in values {
            self.shared.set_value(index, value);
        }
        self.send(Command::State);
        self.shared.tell_names();
        self.shared.notify(Notice::ValuesChanged);
    }

    /// Hands a command to the link; false before there is one.
    pub(crate) fn send(&self, command: Command) -> bool {
        let engaged = self.engaged();
        engaged.link.as_ref().inspect(|link| link.send(command)).is_some()
    }

    /// Who hears of changes; called on the link thread or inside [`Instance::load_state`].
    pub fn set_notifier(&self, notifier: Notifier) {
        self.shared.set_notifier(notifier);
    }

    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The status in words: what is wrong and what to do next. One line.
    pub fn status_text(&self) -> String {
        self.shared.status_text()
    }

    fn engaged(&self) -> MutexGuard<'_, Engaged> {
        self.engaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engaged {
    /// Makes a timeline and tells the link.
    fn timeline(&mut self, shared: &Shared, rate: u32) -> Result<Arc<Timeline>, ActivateError> {
        let timeline = Arc::new(Timeline::new(rate, self.epoch + 1).map_err(ActivateError::Timeline)?);
        self.epoch += 1;
        shared.peer.expect(self.epoch);
        if let Some(link) = &self.link {
            link.send(Command::Timeline(timeline.clone()));
        }
        Ok(timeline)
    }
}
