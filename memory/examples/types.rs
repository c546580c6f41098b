//! What the debug information of a file tells: `types FILE [PART OF A PATH]`; or what a layout of it comes to: `types FILE --layout TO`;
//! `types FILE --debug OTHER [PART OF A PATH]` takes the debug information of another file.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn main() -> Result<(), String> {
    use holdup_memory::debug::{Debug, Search, TypeId};
    use std::{path::PathBuf, time::Instant};

    let mut arguments = std::env::args_os().skip(1);
    let file = PathBuf::from(arguments.next().ok_or("which file?")?);
    let before = Instant::now();
    let mut wanted = arguments.next();
    let mut search = Search::default();
    if wanted.as_ref().is_some_and(|wanted| wanted == "--debug") {
        search.debug = arguments.next().map(PathBuf::from);
        wanted = arguments.next();
    }
    let debug = Debug::find(&file, &search)?;
    let index = debug.index();
    println!("{:?}, {}, {} in {:?}", debug.grade(), debug.from(), index.producer, before.elapsed());
    println!(
        "{} cells, {} coroutines, {} vtables, {} functions of tasks, {} block_on, {} named, {} thread-locals",
        index.cells.len(),
        index.coroutines.len(),
        index.vtables.len(),
        index.task_functions.len(),
        index.block_on.len(),
        index.named.len(),
        index.thread_locals.len(),
    );
    let Some(wanted) = wanted else { return Ok(()) };
    let wanted = wanted.to_string_lossy();
    if wanted == "--layout" {
        let to = PathBuf::from(arguments.next().ok_or("to which file?")?);
        let before = Instant::now();
        let written = debug.write_layout(&to)?;
        println!("{written:?} in {:?}", before.elapsed());
        let before = Instant::now();
        let search = Search { layout: Some(to), ..Search::default() };
        let read = Debug::find(&file, &search)?;
        println!("read in {:?}: {} cells", before.elapsed(), read.index().cells.len());
        return Ok(());
    }
    let tables = [&index.cells, &index.coroutines, &index.named];
    let mut matching: Vec<TypeId> = tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|entry| entry.0.contains(&*wanted))
        .map(|entry| *entry.1)
        .collect();
    matching.sort_unstable();
    for id in matching {
        let ty = debug.ty(id);
        println!("{} {} bytes, {:?}", ty.path(), ty.size, ty.kind);
        for member in &ty.members {
            println!("  {:4} {}: {}", member.at, member.name, debug.ty(member.ty).path());
        }
        for variant in ty.variants.iter().flat_map(|part| &part.variants) {
            let place = variant.place.as_ref().map(|place| format!("{}:{}", place.file, place.line));
            println!("  {} {:?} {}", variant.name, variant.values, place.unwrap_or_default());
            for member in &debug.ty(variant.ty).members {
                println!("    {:4} {}: {}", variant.at + member.at, member.name, debug.ty(member.ty).path());
            }
        }
    }
    Ok(())
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn main() {
    println!("this system's debug information is not read");
}
