//! What the editor's thread has to say to the host, which listens on its main thread only.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, Weak};

use editor::HostWindow;
use rustix::event::{EventfdFlags, eventfd};
use shim_core::{HostGestures, Instance, parameters};
use vst3::Steinberg::Linux::{FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop};
use vst3::{Class, ComPtr, Steinberg::Vst::*, Steinberg::*};

use crate::component::lock;
use crate::guard;
use crate::news::Handler;

enum Post {
    Begin(usize),
    Perform(usize, f64),
    End(usize),
    Size(u32, u32),
}

/// A queue from the editor's thread to the host's main thread, with a descriptor that the host's run loop watches.
pub struct Posts {
    instance: Arc<Instance>,
    handler: Arc<Handler>,
    frame: Mutex<Option<ComPtr<IPlugFrame>>>,
    /// The view that owns this; not counted, it outlives every use.
    view: AtomicPtr<IPlugView>,
    queue: Mutex<VecDeque<Post>>,
    wake: OwnedFd,
}

impl Posts {
    /// # Errors
    /// When the system refuses a descriptor.
    pub fn new(instance: Arc<Instance>, handler: Arc<Handler>) -> std::io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (frame, queue) = (Mutex::new(None), Mutex::default());
        Ok(Self { instance, handler, frame, view: AtomicPtr::new(ptr::null_mut()), queue, wake })
    }

    pub fn set_view(&self, view: *mut IPlugView) {
        self.view.store(view, Ordering::Release);
    }

    pub fn set_frame(&self, frame: Option<ComPtr<IPlugFrame>>) {
        *lock(&self.frame) = frame;
    }

    /// The host's run loop, which it offers by its frame.
    pub fn run_loop(&self) -> Option<ComPtr<IRunLoop>> {
        lock(&self.frame).as_ref()?.cast::<IRunLoop>()
    }

    pub fn descriptor(&self) -> FileDescriptor {
        self.wake.as_raw_fd()
    }

    fn post(&self, post: Post) {
        let mut queue = lock(&self.queue);
        match (queue.back_mut(), &post) {
            // A host that is busy hears the latest of a movement.
            (Some(Post::Perform(index, plain)), Post::Perform(again, newer)) if index == again => *plain = *newer,
            _ => queue.push_back(post),
        }
        drop(queue);
        // Refused only when the count is full, and then it rings already.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Says everything that is queued. Main thread.
    pub fn deliver(&self) {
        // Reading resets the count; a failure means that nobody rang.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        // The host is called outside the locks: it may well call back into the view.
        while let Some(post) = { lock(&self.queue).pop_front() } {
            if let Post::Size(width, height) = post {
                self.resize(width, height);
                continue;
            }
            let Some(handler) = lock(&self.handler).clone() else { continue };
            self.tell(&handler, &post);
        }
    }

    fn tell(&self, handler: &ComPtr<IComponentHandler>, post: &Post) {
        let table = parameters::table();
        // SAFETY: the handler is counted, so alive, and this is the main thread.
        unsafe {
            match *post {
                Post::Begin(index) => handler.beginEdit(table[index].id),
                Post::Perform(index, plain) => handler.performEdit(table[index].id, table[index].normalise(plain)),
                Post::End(index) => handler.endEdit(table[index].id),
                Post::Size(..) => kResultOk,
            };
        }
    }

    fn resize(&self, width: u32, height: u32) {
        let Some(frame) = lock(&self.frame).clone() else { return };
        let mut rect = ViewRect { left: 0, top: 0, right: width as i32, bottom: height as i32 };
        // SAFETY: the frame is counted; the view owns this and is alive while it delivers.
        unsafe { frame.resizeView(self.view.load(Ordering::Acquire), &mut rect) };
    }
}

impl HostGestures for Posts {
    fn begin(&self, index: usize) {
        self.post(Post::Begin(index));
    }

    fn perform(&self, index: usize, plain: f64) {
        // Heard with the next block, however busy the host's main thread is.
        self.instance.set_value(index, plain);
        self.post(Post::Perform(index, plain));
    }

    fn end(&self, index: usize) {
        self.post(Post::End(index));
    }
}

impl HostWindow for Posts {
    fn request_size(&self, width: u32, height: u32) {
        self.post(Post::Size(width, height));
    }
}

/// What the run loop calls when the descriptor rings.
pub struct Pump(Weak<Posts>);

impl Pump {
    pub fn new(posts: &Arc<Posts>) -> Self {
        Self(Arc::downgrade(posts))
    }
}

impl Class for Pump {
    type Interfaces = (IEventHandler,);
}

impl IEventHandlerTrait for Pump {
    unsafe fn onFDIsSet(&self, _descriptor: FileDescriptor) {
        guard::or((), || {
            if let Some(posts) = self.0.upgrade() {
                posts.deliver();
            }
        });
    }
}
