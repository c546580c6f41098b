//! loader PATH: has no tokio but that of the shared object at PATH.

fn main() {
    loader::load();
}
