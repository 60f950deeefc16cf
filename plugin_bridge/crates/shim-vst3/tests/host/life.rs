//! Making the plugin, setting it up, and its life cycle in any order.

use super::rig::{Rig, create, factory};
use vst3::{Steinberg::Vst::*, Steinberg::*};

#[test]
fn the_factory_describes_one_effect_and_makes_no_other() {
    let factory = factory();
    // SAFETY: live objects, writable structs (all zeros is a value of each).
    unsafe {
        assert_eq!(factory.countClasses(), 1);
        let mut info: PClassInfoW = std::mem::zeroed();
        assert_eq!(factory.getClassInfoUnicode(0, &mut info), kResultOk);
        assert_eq!(info.cid, shim_vst3::identity::CLASS_ID);
        assert_eq!(String::from_utf16_lossy(&info.name[..6]), "DEMON\0");
        assert_eq!(factory.getClassInfoUnicode(1, &mut info), kInvalidArgument);
        assert_eq!(factory.getClassInfoUnicode(-1, &mut info), kInvalidArgument);
        let mut info: PClassInfo2 = std::mem::zeroed();
        assert_eq!(factory.getClassInfo2(0, &mut info), kResultOk);
        assert_eq!(info.subCategories[..3].iter().map(|c| *c as u8).collect::<Vec<_>>(), b"Fx\0");
        let mut object = std::ptr::null_mut();
        let other = [0; 16];
        assert_eq!(factory.createInstance(other.as_ptr(), IComponent_iid.as_ptr(), &mut object), kNoInterface);
        assert_eq!(factory.createInstance(info.cid.as_ptr(), other.as_ptr(), &mut object), kNoInterface);
        assert!(object.is_null());
    }
}

#[test]
fn the_life_cycle_may_come_in_any_order() {
    let rig = Rig::new().active();
    // SAFETY: live objects.
    unsafe {
        assert_eq!(rig.component.setActive(1), kResultOk);
        assert_eq!(rig.component.terminate(), kResultOk);
        assert_eq!(rig.component.setActive(1), kNotInitialized);
        assert_eq!(rig.component.terminate(), kResultOk);
        assert_eq!(rig.component.initialize(std::ptr::null_mut()), kResultOk);
        assert_eq!(rig.component.initialize(std::ptr::null_mut()), kResultOk);
        assert_eq!(rig.component.setActive(1), kResultOk);
    }
    drop(rig);
    drop(create());
}

#[test]
fn a_setup_that_cannot_be_served_is_refused() {
    let rig = Rig::new();
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(rig.setup(rate, 64), kResultFalse);
    }
    for largest in [-1, 0, 1, i32::MAX] {
        assert_eq!(rig.setup(44_100.0, largest), kResultOk);
        // SAFETY: a live object.
        unsafe {
            assert_eq!(rig.component.setActive(1), kResultOk);
            rig.component.setActive(0);
        }
    }
    assert_eq!(rig.setup(1e9, 64), kResultOk);
    // SAFETY: a live object.
    unsafe { assert_eq!(rig.component.setActive(1), kResultFalse) };
}
