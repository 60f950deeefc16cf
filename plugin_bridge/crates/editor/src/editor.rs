//! The handle that a plugin format holds while its window is open.

use std::{
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rustix::event::{EventfdFlags, eventfd};
use shim_core::{HostGestures, Instance};

use crate::thread;

/// Width and height of the window in points, where the project says nothing else.
pub const SIZE: (u32, u32) = (1080, 720);

/// The smallest that the page is laid out for, in points.
pub const MIN_SIZE: (u32, u32) = (760, 480);

/// The largest that a project's window is opened with, in points: twice a 4K screen.
const MAX_SIZE: (u32, u32) = (7680, 4320);

/// Width and height in points of the window that the project had.
pub fn size(instance: &Instance) -> (u32, u32) {
    let (width, height) = instance.look().size.unwrap_or(SIZE);
    (width.clamp(MIN_SIZE.0, MAX_SIZE.0), height.clamp(MIN_SIZE.1, MAX_SIZE.1))
}

/// How long a host is kept waiting for a window. Hosts look for it as soon as they have asked for it (JUCE's even fail
/// now and then over one that appears while they close), and on any display that works it is there in a few
/// milliseconds.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long closing waits for the thread: a frame takes some hundredths of a second.
const FAREWELL: Duration = Duration::from_secs(2);

/// Largest side in pixels, whatever a host asks for: twice an 8K screen.
const MAX_SIDE: u32 = 15_360;

/// What the editor asks of the host about its window. Called on the editor's thread; must not wait.
pub trait HostWindow: Send + Sync {
    /// The page would like to be this large, in physical pixels; the host may ignore it.
    fn request_size(&self, width: u32, height: u32);
}

/// What the host wants of the window, until the thread has seen to it.
#[derive(Default)]
pub(crate) struct Orders {
    pub size: Option<(u16, u16)>,
    pub scale: Option<f32>,
    pub visible: Option<bool>,
    pub close: bool,
}

pub(crate) struct Desk {
    orders: Mutex<Orders>,
    pub wake: OwnedFd,
}

impl Desk {
    pub(crate) fn take(&self) -> Orders {
        // Reading resets the count; a failure means that nobody rang.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        std::mem::take(&mut *self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn order(&self, write: impl FnOnce(&mut Orders)) {
        write(&mut self.orders.lock().unwrap_or_else(PoisonError::into_inner));
        // Refused only when the count is full, and then it rings already.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

/// An open window. Dropping it closes it, and waits until its thread is done: the host may unload the library next.
pub struct Editor {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
    ended: mpsc::Receiver<()>,
}

fn side(pixels: u32) -> u16 {
    pixels.clamp(1, MAX_SIDE) as u16
}

impl Editor {
    /// Opens a window of `size` physical pixels inside the X11 window `parent`, `scale` pixels a point (none: as the
    /// desktop has it set). Returns at once; the window appears when the display answers, and stays away without one.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn open(
        parent: u32,
        size: (u32, u32),
        scale: Option<f32>,
        instance: Arc<Instance>,
        gestures: Arc<dyn HostGestures>,
        host: Arc<dyn HostWindow>,
    ) -> std::io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let desk = Arc::new(Desk { orders: Mutex::default(), wake });
        let size = (side(size.0), side(size.1));
        let start = thread::Start { parent, size, scale, instance, gestures, host, desk: Arc::clone(&desk) };
        let (opened, answer) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name("demon-editor".into()).spawn(move || {
            thread::run(start, opened);
            // Refused when nobody waits any more.
            let _ = end.send(());
        })?;
        // Without an answer in time the window appears later, or never.
        let _ = answer.recv_timeout(PATIENCE);
        Ok(Self { desk, thread: Some(thread), ended })
    }

    /// The host changed the window's size, in physical pixels.
    pub fn resize(&self, width: u32, height: u32) {
        self.desk.order(|orders| orders.size = Some((side(width), side(height))));
    }

    /// The host changed the number of pixels a point.
    pub fn rescale(&self, scale: f32) {
        self.desk.order(|orders| orders.scale = Some(scale));
    }

    pub fn show(&self, visible: bool) {
        self.desk.order(|orders| orders.visible = Some(visible));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.desk.order(|orders| orders.close = true);
        // A thread that hangs in a call of the host, which waits for this one, must not hang it.
        if self.ended.recv_timeout(FAREWELL).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // The thread catches its own panics.
            let _ = thread.join();
        }
    }
}
