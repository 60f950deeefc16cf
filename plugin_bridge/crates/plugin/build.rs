//! Linker flags that a plugin needs and cargo has no setting for.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // A host's thread that once ran Rust code has thread-local destructors in this object; when it ends after
        // dlclose they would be called in unmapped memory (minihost dies so; rust-lang/rust 91979).
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
