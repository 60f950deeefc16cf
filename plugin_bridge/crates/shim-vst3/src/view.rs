//! The editor as a VST3 view: a window of the host's with ours inside.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::{Arc, Mutex};

use editor::Editor;
use shim_core::{HostGestures, Instance};
use vst3::Steinberg::Linux::{IRunLoop, IRunLoopTrait};
use vst3::{Class, ComPtr, ComRef, ComWrapper, Steinberg::*};

use crate::component::lock;
use crate::guard;
use crate::news::{Handler, News, Timer};
use crate::posts::{Posts, Pump};

/// No larger is nobody's wish: JUCE's embedding window begins with this many pixels a side, and JUCE asks for that now
/// and then while it lays a window out that it has just opened.
const UNSET: i32 = 128;

/// One view, from `createView` to its last reference.
pub struct View {
    instance: Arc<Instance>,
    posts: Arc<Posts>,
    news: Arc<News>,
    shape: Mutex<Shape>,
    open: Mutex<Option<Open>>,
}

/// What the host has said about the window.
struct Shape {
    width: u32,
    height: u32,
    scale: Option<f32>,
}

/// A window that is attached.
struct Open {
    editor: Editor,
    /// Tells the host what changed, until it is dropped.
    _timer: Option<Timer>,
    run_loop: ComPtr<IRunLoop>,
    pump: ComPtr<Linux::IEventHandler>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the handler was registered with this very run loop.
        unsafe { self.run_loop.unregisterEventHandler(self.pump.as_ptr()) };
    }
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport);
}

impl View {
    /// A view with one reference for the caller; null where the system refuses a descriptor.
    pub fn create(instance: Arc<Instance>, handler: Arc<Handler>, news: Arc<News>) -> *mut IPlugView {
        let Ok(posts) = Posts::new(Arc::clone(&instance), handler) else { return ptr::null_mut() };
        let (width, height) = editor::size(&instance);
        let shape = Mutex::new(Shape { width, height, scale: None });
        let wrapper = ComWrapper::new(Self { instance, posts: Arc::new(posts), news, shape, open: Mutex::new(None) });
        let Some(view) = wrapper.to_com_ptr::<IPlugView>() else { return ptr::null_mut() };
        wrapper.posts.set_view(view.as_ptr());
        view.into_raw()
    }

    fn attach(&self, parent: u32) -> tresult {
        let mut open = lock(&self.open);
        if open.is_some() {
            return kResultFalse;
        }
        // Every VST3 host on Linux has a run loop. Without one nothing could be said to the host on its main thread.
        let Some(run_loop) = self.posts.run_loop() else { return kResultFalse };
        let Some(pump) = ComWrapper::new(Pump::new(&self.posts)).to_com_ptr::<Linux::IEventHandler>() else {
            return kResultFalse;
        };
        let (size, scale) = {
            let shape = lock(&self.shape);
            ((shape.width, shape.height), shape.scale)
        };
        let gestures: Arc<dyn HostGestures> = Arc::clone(&self.posts) as _;
        let host: Arc<dyn editor::HostWindow> = Arc::clone(&self.posts) as _;
        // SAFETY: the handler is alive until it is unregistered.
        if unsafe { run_loop.registerEventHandler(pump.as_ptr(), self.posts.descriptor()) } != kResultOk {
            return kResultFalse;
        }
        match Editor::open(parent, size, scale, Arc::clone(&self.instance), gestures, host) {
            Ok(editor) => {
                // Refused: the project is marked changed, and titles read, when the host next asks for something.
                let timer = Timer::start(&self.news, run_loop.clone());
                *open = Some(Open { editor, _timer: timer, run_loop, pump });
                kResultOk
            }
            Err(_) => {
                // SAFETY: registered just above.
                unsafe { run_loop.unregisterEventHandler(pump.as_ptr()) };
                kResultFalse
            }
        }
    }

    fn detach(&self) -> tresult {
        let open = lock(&self.open).take();
        if open.is_none() {
            return kResultFalse;
        }
        drop(open);
        // What the window said last, the end of a gesture among it.
        self.posts.deliver();
        kResultOk
    }

    fn resize(&self, rect: &ViewRect) {
        let (width, height) = (rect.right.saturating_sub(rect.left), rect.bottom.saturating_sub(rect.top));
        let (width, height) = (width.max(1) as u32, height.max(1) as u32);
        let mut shape = lock(&self.shape);
        (shape.width, shape.height) = (width, height);
        drop(shape);
        if let Some(open) = &*lock(&self.open) {
            open.editor.resize(width, height);
        }
    }

    fn rescale(&self, factor: f32) -> tresult {
        if !factor.is_finite() || factor <= 0.0 {
            return kInvalidArgument;
        }
        let mut shape = lock(&self.shape);
        let ratio = factor / shape.scale.replace(factor).unwrap_or(1.0);
        (shape.width, shape.height) = (scaled(shape.width, ratio), scaled(shape.height, ratio));
        let size = (shape.width, shape.height);
        drop(shape);
        if let Some(open) = &*lock(&self.open) {
            open.editor.rescale(factor);
            editor::HostWindow::request_size(&*self.posts, size.0, size.1);
        }
        kResultOk
    }
}

fn scaled(points: u32, scale: f32) -> u32 {
    (points as f32 * scale).round() as u32
}

/// # Safety
/// `kind` is null or terminated text.
unsafe fn is_ours(kind: FIDString) -> bool {
    // SAFETY: as the contract says; the constant is terminated.
    !kind.is_null() && unsafe { CStr::from_ptr(kind) == CStr::from_ptr(kPlatformTypeX11EmbedWindowID) }
}

impl IPlugViewTrait for View {
    unsafe fn isPlatformTypeSupported(&self, kind: FIDString) -> tresult {
        // SAFETY: the host passes null or terminated text.
        if unsafe { is_ours(kind) } { kResultTrue } else { kResultFalse }
    }

    unsafe fn attached(&self, parent: *mut c_void, kind: FIDString) -> tresult {
        guard::or(kInternalError, || {
            let Ok(parent) = u32::try_from(parent as usize) else { return kInvalidArgument };
            // SAFETY: as above.
            let ours = unsafe { is_ours(kind) };
            if parent == 0 || !ours {
                return kInvalidArgument;
            }
            self.attach(parent)
        })
    }

    unsafe fn removed(&self) -> tresult {
        guard::or(kInternalError, || self.detach())
    }

    // Wheel, keys and focus reach the window from the display itself.
    unsafe fn onWheel(&self, _distance: f32) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyDown(&self, _key: char16, _code: int16, _modifiers: int16) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyUp(&self, _key: char16, _code: int16, _modifiers: int16) -> tresult {
        kResultFalse
    }

    unsafe fn getSize(&self, size: *mut ViewRect) -> tresult {
        // SAFETY: null or writable.
        let Some(size) = (unsafe { size.as_mut() }) else { return kInvalidArgument };
        let shape = lock(&self.shape);
        *size = ViewRect { left: 0, top: 0, right: shape.width as i32, bottom: shape.height as i32 };
        kResultOk
    }

    unsafe fn onSize(&self, size: *mut ViewRect) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: null or readable.
            let Some(size) = (unsafe { size.as_ref() }) else { return kInvalidArgument };
            self.resize(size);
            kResultOk
        })
    }

    unsafe fn onFocus(&self, _state: TBool) -> tresult {
        kResultOk
    }

    unsafe fn setFrame(&self, frame: *mut IPlugFrame) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: null or a live object of the host.
            let frame = unsafe { ComRef::from_raw(frame) }.map(|frame| frame.to_com_ptr());
            self.posts.set_frame(frame);
            kResultOk
        })
    }

    unsafe fn canResize(&self) -> tresult {
        kResultTrue
    }

    unsafe fn checkSizeConstraint(&self, rect: *mut ViewRect) -> tresult {
        // SAFETY: null or writable.
        let Some(rect) = (unsafe { rect.as_mut() }) else { return kInvalidArgument };
        let shape = lock(&self.shape);
        let asked = (rect.right.saturating_sub(rect.left), rect.bottom.saturating_sub(rect.top));
        let (width, height) = if asked.0.max(asked.1) <= UNSET {
            (shape.width, shape.height)
        } else {
            let scale = shape.scale.unwrap_or(1.0);
            (scaled(editor::MIN_SIZE.0, scale), scaled(editor::MIN_SIZE.1, scale))
        };
        rect.right = rect.right.max(rect.left.saturating_add(width as i32));
        rect.bottom = rect.bottom.max(rect.top.saturating_add(height as i32));
        kResultTrue
    }
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, factor: f32) -> tresult {
        guard::or(kInternalError, || self.rescale(factor))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // A host may let go of a view that it never removed.
        guard::or(kResultFalse, || self.detach());
    }
}
