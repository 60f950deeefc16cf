//! What the host has to be told, and from where it may be.
//!
//! Notices come on threads on which nothing of the host may be called, and VST3 gives a plugin no thread of its own to
//! call on. So each waits for a moment that is right: values for the next block's output changes, everything for the
//! host's run loop where there is one (the host's context may offer it, an open editor's frame always does), and the
//! dirty flag, which asks nothing back of the host, for any call of the host on its main thread too. `restartComponent`
//! does not go out of such a call: inside `setState` Ardour holds the lock that it waits for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::ThreadId;

use shim_core::Notice;
use vst3::Steinberg::Linux::{IRunLoop, IRunLoopTrait, ITimerHandler, ITimerHandlerTrait, TimerInterval};
use vst3::{Class, ComPtr, ComWrapper, Steinberg::Vst::*, Steinberg::*};

use crate::component::lock;
use crate::guard;

/// The host's side of the edit controller; none before the host set it.
pub type Handler = Mutex<Option<ComPtr<IComponentHandler>>>;

/// Often enough that a user sees no delay, seldom enough that nobody sees the cost.
const TICK_MS: TimerInterval = 100;

#[derive(Default)]
pub struct News {
    handler: Arc<Handler>,
    /// The host's main thread: the one that initialised the plugin.
    main: Mutex<Option<ThreadId>>,
    values: AtomicBool,
    names: AtomicBool,
    latency: AtomicBool,
    dirty: AtomicBool,
}

impl News {
    pub fn new(handler: Arc<Handler>) -> Self {
        Self { handler, ..Self::default() }
    }

    /// To be called on the host's main thread.
    pub fn settle(&self) {
        *lock(&self.main) = Some(std::thread::current().id());
    }

    /// Any thread.
    pub fn post(&self, notice: Notice) {
        let flag = match notice {
            Notice::ValuesChanged => &self.values,
            Notice::NamesChanged => &self.names,
            Notice::LatencyChanged => &self.latency,
            Notice::DocumentChanged => &self.dirty,
            // The status is a parameter, which goes out with every block that changes it.
            Notice::StatusChanged => return,
        };
        flag.store(true, Ordering::Release);
    }

    /// Whether values have to go out with this block. Audio thread.
    pub fn take_values(&self) -> bool {
        self.values.swap(false, Ordering::AcqRel)
    }

    /// Inside a call of the host: tells it that the project changed, if this is its main thread.
    pub fn tell_dirty(&self) {
        let here = *lock(&self.main) == Some(std::thread::current().id());
        if here && self.dirty.load(Ordering::Acquire) {
            self.mark_dirty();
        }
    }

    /// From the host's run loop: tells it everything.
    pub fn tell(&self) {
        self.mark_dirty();
        let Some(handler) = lock(&self.handler).clone() else { return };
        let mut flags = 0;
        for (flag, meaning) in [
            (&self.values, RestartFlags_::kParamValuesChanged),
            (&self.names, RestartFlags_::kParamTitlesChanged),
            (&self.latency, RestartFlags_::kLatencyChanged),
        ] {
            flags |= if flag.swap(false, Ordering::AcqRel) { meaning as i32 } else { 0 };
        }
        if flags != 0 {
            // SAFETY: counted, so alive; called outside the lock, because the host calls back.
            unsafe { handler.restartComponent(flags) };
        }
    }

    fn mark_dirty(&self) {
        let handler = lock(&self.handler).as_ref().and_then(|handler| handler.cast::<IComponentHandler2>());
        // A host without the interface has no such flag; one that comes later is told then.
        if let Some(handler) = handler.filter(|_| self.dirty.swap(false, Ordering::AcqRel)) {
            // SAFETY: as in `tell`.
            unsafe { handler.setDirty(1) };
        }
    }
}

/// Tells the news from a run loop, until it is dropped.
pub struct Timer {
    run_loop: ComPtr<IRunLoop>,
    tick: ComPtr<ITimerHandler>,
}

impl Timer {
    /// None where the host refuses one. To be called, and dropped, on the host's main thread.
    pub fn start(news: &Arc<News>, run_loop: ComPtr<IRunLoop>) -> Option<Self> {
        let tick = ComWrapper::new(Tick(Arc::downgrade(news))).to_com_ptr::<ITimerHandler>()?;
        // SAFETY: live objects; `drop` takes the handler out again.
        let taken = unsafe { run_loop.registerTimer(tick.as_ptr(), TICK_MS) } == kResultOk;
        taken.then_some(Self { run_loop, tick })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: registered with this very run loop, which is counted.
        unsafe { self.run_loop.unregisterTimer(self.tick.as_ptr()) };
    }
}

struct Tick(Weak<News>);

impl Class for Tick {
    type Interfaces = (ITimerHandler,);
}

impl ITimerHandlerTrait for Tick {
    unsafe fn onTimer(&self) {
        guard::or((), || {
            if let Some(news) = self.0.upgrade() {
                news.tell();
            }
        });
    }
}

#[cfg(test)]
mod tests;
