//! The wall between Rust panics and the host.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic becomes `fallback`, because unwinding into the host's C++ would abort it.
pub fn or<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}
