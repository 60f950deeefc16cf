//! Tells a test's interposer (`trap/trap.c`) when this thread is inside a real-time call. Nothing without the feature.

/// Inside a real-time call while it lives.
pub(crate) struct Watched(bool);

#[cfg(feature = "trap")]
mod hooks {
    use std::{ffi::CStr, sync::OnceLock};

    type Hook = unsafe extern "C" fn();

    fn find(name: &CStr) -> Option<Hook> {
        // SAFETY: a plain symbol lookup in what is loaded already; the name is a C string.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        // SAFETY: the interposer defines both names as `void f(void)`.
        (!address.is_null()).then(|| unsafe { std::mem::transmute::<*mut libc::c_void, Hook>(address) })
    }

    static HOOKS: OnceLock<Option<(Hook, Hook)>> = OnceLock::new();

    /// Looks the hooks up, which must not happen on the audio thread.
    pub(crate) fn prepare() {
        HOOKS.get_or_init(|| Some((find(c"demon_trap_enter")?, find(c"demon_trap_leave")?)));
    }

    pub(crate) fn call(enter: bool) {
        if let Some(Some((on_enter, on_leave))) = HOOKS.get() {
            // SAFETY: looked up as functions without arguments; they touch their own thread-local state only.
            unsafe { if enter { on_enter() } else { on_leave() } };
        }
    }
}

#[cfg(not(feature = "trap"))]
mod hooks {
    pub(crate) fn prepare() {}
    pub(crate) fn call(_enter: bool) {}
}

pub(crate) use hooks::prepare;

pub(crate) fn watch(real_time: bool) -> Watched {
    if real_time {
        hooks::call(true);
    }
    Watched(real_time)
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.0 {
            hooks::call(false);
        }
    }
}
