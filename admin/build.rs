//! Rebuilds the crate when a migration is added; the files themselves are tracked by the compiler.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
