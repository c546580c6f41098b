//! The committed Rust is what `holdup.proto` generates: neither is edited without the other.

use std::{env, error::Error, fs, path::Path};

/// Set to anything, it rewrites the committed files instead of comparing them.
const REWRITE: &str = "HOLDUP_REGENERATE";
const GENERATED: &str = "holdup.v1.rs";

fn generate(into: &Path) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile([root.join("holdup.proto")], [root])?;
    tonic_prost_build::configure().emit_rerun_if_changed(false).out_dir(into).compile_fds(descriptors)?;
    Ok(())
}

#[test]
fn generated_code_is_current() -> Result<(), Box<dyn Error>> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated");
    if env::var_os(REWRITE).is_some() {
        fs::create_dir_all(&committed)?;
        return generate(&committed);
    }
    let fresh = tempfile::tempdir()?;
    generate(fresh.path())?;
    let fresh = fs::read_to_string(fresh.path().join(GENERATED))?;
    let committed = fs::read_to_string(committed.join(GENERATED))?;
    assert!(
        fresh == committed,
        "proto/src/generated is not what proto/holdup.proto generates; \
         run `{REWRITE}=1 cargo test -p holdup-proto` and commit both"
    );
    Ok(())
}
