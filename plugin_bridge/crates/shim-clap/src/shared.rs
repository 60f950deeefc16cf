//! What every thread of one plugin instance sees.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clack_plugin::prelude::*;
use shim_core::{Instance, Notice};

pub struct Shared<'a> {
    pub instance: Arc<Instance>,
    /// What the host said through the render extension, taken into account block by block.
    pub offline: AtomicBool,
    /// Samples, as the last activation declared it.
    pub latency: AtomicU32,
    pub notices: Arc<Notices>,
    #[cfg(all(feature = "editor", target_os = "linux"))]
    pub gestures: Arc<crate::gestures::Gestures>,
    host: PhantomData<HostSharedHandle<'a>>,
}

impl<'a> PluginShared<'a> for Shared<'a> {}

/// What the host's main thread has to be told. Notices arrive on other threads and wait here for it.
#[derive(Default)]
pub struct Notices {
    /// None once the plugin is being destroyed.
    host: Mutex<Option<HostSharedHandle<'static>>>,
    pub document: AtomicBool,
    pub status: AtomicBool,
    pub values: AtomicBool,
    pub names: AtomicBool,
}

impl Notices {
    pub fn host(&self) -> MutexGuard<'_, Option<HostSharedHandle<'static>>> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, notice: Notice) {
        let flag = match notice {
            Notice::DocumentChanged => &self.document,
            Notice::StatusChanged => &self.status,
            Notice::ValuesChanged => &self.values,
            Notice::NamesChanged => &self.names,
            Notice::LatencyChanged => return self.tell(|host| host.request_restart()),
        };
        flag.store(true, Ordering::Release);
        self.tell(|host| host.request_callback());
    }

    /// Requests are CLAP's thread-safe calls.
    fn tell(&self, request: impl FnOnce(&HostSharedHandle<'static>)) {
        if let Some(host) = self.host().as_ref() {
            request(host);
        }
    }
}

impl<'a> Shared<'a> {
    pub fn new(host: HostSharedHandle<'a>) -> Self {
        let name = host.name().map_or_else(|| "CLAP".into(), |name| name.to_string_lossy());
        let instance = Instance::new(&name);
        // SAFETY: the handle is used under the lock only, and `drop` takes it out under the same lock while the host
        // is still alive.
        let handle: HostSharedHandle<'static> = unsafe { host.with_arbitrary_lifetime() };
        let notices = Arc::new(Notices { host: Mutex::new(Some(handle)), ..Notices::default() });
        let posted = Arc::clone(&notices);
        instance.set_notifier(Box::new(move |notice| posted.post(notice)));
        Self {
            instance,
            offline: AtomicBool::new(false),
            latency: AtomicU32::new(0),
            notices,
            #[cfg(all(feature = "editor", target_os = "linux"))]
            gestures: Arc::default(),
            host: PhantomData,
        }
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        *self.notices.host() = None;
    }
}
