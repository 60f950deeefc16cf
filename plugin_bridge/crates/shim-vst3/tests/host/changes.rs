//! Parameter changes of one block.

use std::cell::RefCell;

use vst3::{Class, ComWrapper, Steinberg::Vst::*, Steinberg::*};

pub struct Queue {
    id: ParamID,
    points: RefCell<Vec<(i32, f64)>>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }
    unsafe fn getPointCount(&self) -> i32 {
        self.points.borrow().len() as i32
    }
    unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut f64) -> tresult {
        let (at, plain) = self.points.borrow()[index as usize];
        // SAFETY: the plugin passes two writable targets.
        unsafe {
            *offset = at;
            *value = plain;
        }
        kResultOk
    }
    unsafe fn addPoint(&self, offset: i32, value: f64, _index: *mut i32) -> tresult {
        self.points.borrow_mut().push((offset, value));
        kResultOk
    }
}

/// One block's changes, in either direction. A queue whose id is 0 is given out as null.
#[derive(Default)]
pub struct Changes(RefCell<Vec<ComWrapper<Queue>>>);

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl Changes {
    pub fn of(queues: &[(ParamID, &[(i32, f64)])]) -> Self {
        let made =
            queues.iter().map(|&(id, points)| ComWrapper::new(Queue { id, points: RefCell::new(points.to_vec()) }));
        Self(RefCell::new(made.collect()))
    }

    pub fn points(&self) -> Vec<(ParamID, i32, f64)> {
        let queues = self.0.borrow();
        let points = queues
            .iter()
            .flat_map(|queue| queue.points.borrow().iter().map(|p| (queue.id, p.0, p.1)).collect::<Vec<_>>());
        points.collect()
    }
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> i32 {
        self.0.borrow().len() as i32
    }
    unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
        let queue = &self.0.borrow()[index as usize];
        let pointer = queue.as_com_ref::<IParamValueQueue>().unwrap().as_ptr();
        if queue.id == 0 { std::ptr::null_mut() } else { pointer }
    }
    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut i32) -> *mut IParamValueQueue {
        // SAFETY: the plugin passes a readable id and a writable index.
        let queue = unsafe {
            *index = self.0.borrow().len() as i32;
            ComWrapper::new(Queue { id: *id, points: RefCell::default() })
        };
        let pointer = queue.as_com_ref::<IParamValueQueue>().unwrap().as_ptr();
        self.0.borrow_mut().push(queue);
        pointer
    }
}
