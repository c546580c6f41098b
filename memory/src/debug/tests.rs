//! A program is built, and its types are read out of it.

use super::*;
use std::{path::PathBuf, process::Command};

/// A program of `programs/`, built with these flags.
pub(super) struct Built {
    pub(super) directory: tempfile::TempDir,
    pub(super) file: PathBuf,
}

pub(super) fn build(flags: &[&str]) -> Built {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/debug/programs/tokio.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokio");
    let mut command = Command::new(rustc);
    command.current_dir(directory.path()).args([
        "--edition",
        "2024",
        "--crate-name",
        "tokio",
        "-Clink-arg=-Wl,--build-id",
    ]);
    // The older form of names can only be asked for so.
    command.env("RUSTC_BOOTSTRAP", "1");
    // As it is for macros of other crates.
    command.arg("-Ccollapse-macro-debuginfo=yes");
    let output = command.args(flags).arg(from).arg("-o").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Built { directory, file }
}

/// The type of this path, of those that the index names.
fn named(debug: &Debug, path: &str) -> Arc<Type> {
    debug.ty(*debug.index().named.get(path).unwrap_or_else(|| panic!("{path}")))
}

pub(super) fn check(debug: &Debug) {
    let index = debug.index();
    assert_eq!(debug.grade(), Grade::Full, "{}", debug.from());
    assert!(index.producer.contains("rustc"), "{}", index.producer);
    let of = "tokio::outer::{async_fn_env#0}, alloc::sync::Arc<u64, alloc::alloc::Global>";
    let cell = debug.ty(index.cells[of]);
    assert!(cell.is("tokio::runtime::task::core", "Cell"), "{}", cell.path());
    assert_eq!(cell.member("scheduler").map(|member| member.at), Some(16));
    assert_eq!(cell.params.iter().map(|param| &*param.0).collect::<Vec<_>>(), ["T", "S"]);
    assert!(index.task_functions.values().flatten().any(|function| **function == *of), "{:?}", index.task_functions);

    let future = debug.ty(cell.member("future").unwrap().ty);
    assert_eq!(future.path(), "tokio::outer::{async_fn_env#0}");
    assert_eq!(debug.ty(index.coroutines["tokio::outer::{async_fn_env#0}"]).size, future.size);
    assert!(future.is_coroutine());
    let part = future.variants.as_ref().unwrap();
    let first = part.variants.iter().find(|variant| variant.values == [(3, 3)]).unwrap();
    let place = first.place.as_ref().unwrap();
    assert!(place.file.ends_with("programs/tokio.rs"), "{}", place.file);
    let source = include_str!("programs/tokio.rs");
    let line = source.lines().position(|line| line.contains("let first = inner")).unwrap() + 1;
    assert_eq!(place.line as usize, line);
    let variant = debug.ty(first.ty);
    assert_eq!((&*variant.space, &*variant.name), ("tokio::outer::{async_fn_env#0}", "Suspend0"));
    assert_eq!(debug.ty(variant.member("__awaitee").unwrap().ty).path(), "tokio::inner::{async_fn_env#0}");
    let boxed = debug.ty(variant.member("boxed").unwrap().ty);
    assert!(boxed.path().starts_with("core::pin::Pin<alloc::boxed::Box<dyn core::future"), "{}", boxed.path());

    let of = |ty: &TypeId| debug.ty(*ty).path();
    let mut of_block_on: Vec<_> = index.block_on.iter().map(|(range, ty)| (range.is_empty(), of(ty))).collect();
    of_block_on.sort();
    let expected =
        ["inner", "inner", "macros", "outer"].map(|name| (false, format!("tokio::{name}::{{async_fn_env#0}}")));
    assert_eq!(of_block_on, expected);
    let context = index.thread_locals.iter().find(|local| local.0.contains("CONTEXT")).unwrap();
    assert!(context.0.starts_with("tokio::CONTEXT::"), "{}", context.0);
    assert!(debug.ty(context.2).size >= 8);
    let dynamic: Vec<_> = index.vtables.values().map(|of| debug.ty(*of).path()).collect();
    assert!(dynamic.iter().any(|path| path == "tokio::outer::{async_fn#0}::{async_block_env#0}"), "{dynamic:?}");
    macros(debug);
    values(debug);
}

/// What sleeps inside of a macro stands where the macro is used.
fn macros(debug: &Debug) {
    let ty = debug.ty(debug.index().coroutines["tokio::macros::{async_fn_env#0}"]);
    let suspended = |variant: &&Variant| debug.ty(variant.ty).name.starts_with("Suspend");
    let places = ty
        .variants
        .iter()
        .flat_map(|part| &part.variants)
        .filter(suspended)
        .map(|variant| variant.place.as_ref().unwrap());
    let source = include_str!("programs/tokio.rs");
    let used = source.lines().enumerate().filter(|line| line.1.contains("= both!")).map(|line| line.0 + 1);
    assert_eq!(places.clone().map(|place| place.line as usize).collect::<Vec<_>>(), used.collect::<Vec<_>>());
    assert!(places.clone().all(|place| place.file.ends_with("programs/tokio.rs")));
}

fn values(debug: &Debug) {
    let variants = |path: &str| {
        let ty = named(debug, path);
        let part = ty.variants.clone().unwrap();
        let variants: Vec<_> =
            part.variants.iter().map(|variant| (variant.name.to_string(), variant.values.clone())).collect();
        (part.discriminant.map(|member| debug.ty(member.ty).size), variants)
    };
    let (tag, shapes) = variants("tokio::several::Shape");
    assert_eq!(tag, Some(4));
    assert_eq!(
        shapes,
        [("Empty".to_owned(), vec![(0, 0)]), ("Round".to_owned(), vec![(1, 1)]), ("Flat".to_owned(), vec![(2, 2)])]
    );
    let (tag, niches) = variants("tokio::several::Niche");
    assert_eq!(tag, Some(1));
    assert_eq!(niches.iter().map(|niche| niche.1.clone()).collect::<Vec<_>>(), [vec![], vec![(2, 2)], vec![(3, 3)]]);
    let signed = named(debug, "tokio::several::Signed");
    assert_eq!(signed.kind, Kind::Enum(vec![(-2, "Below".into()), (3, "Above".into())]));
    let wide = named(debug, "tokio::several::Wide").variants.clone().unwrap();
    let high = debug.ty(debug.ty(wide.variants[1].ty).members[0].ty);
    assert_eq!(high.size, 24);
    let Kind::Array(element, 4) = high.kind else { panic!("{high:?}") };
    assert!(matches!(debug.ty(element).kind, Kind::Array(_, 3)));
    let low = debug.ty(debug.ty(wide.variants[0].ty).members[0].ty);
    assert_eq!(
        low.members.iter().map(|member| (&*member.name, member.at)).collect::<Vec<_>>(),
        [("data_ptr", 0), ("length", 8)]
    );
    assert!(matches!(debug.ty(low.members[0].ty).kind, Kind::Pointer(_)));
    assert_eq!(named(debug, "tokio::several::Either").kind, Kind::Union);
}

#[test]
fn types_are_as_the_program_has_them() {
    for dwarf in ["-Cdwarf-version=4", "-Cdwarf-version=5"] {
        for optimized in ["-Copt-level=0", "-Copt-level=3"] {
            check(&Debug::open(&build(&["-Cdebuginfo=2", dwarf, optimized]).file).unwrap());
        }
    }
}

#[test]
fn compressed_sections_are_inflated() {
    let built = build(&["-Cdebuginfo=2", "-Clink-arg=-Wl,--compress-debug-sections=zlib"]);
    check(&Debug::open(&built.file).unwrap());
}

#[test]
fn lines_alone_are_no_types() {
    let built = build(&["-Cdebuginfo=line-tables-only"]);
    let debug = Debug::open(&built.file).unwrap();
    assert_eq!(debug.grade(), Grade::Lines);
    assert!(debug.index().cells.is_empty());
    let stripped = build(&["-Cdebuginfo=0", "-Cstrip=symbols"]);
    assert_eq!(Debug::open(&stripped.file).unwrap().grade(), Grade::Stripped);
    assert!(Debug::open(stripped.directory.path()).is_err());
}
