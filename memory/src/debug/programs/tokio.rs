//! A program whose types are read. It is built as a crate named `tokio`, with what a task's cell looks like.

use std::{cell::Cell as StdCell, future::Future, pin::Pin, sync::Arc};

#[macro_use]
mod macros;

pub mod runtime {
    pub mod task {
        pub mod core {
            #[repr(C)]
            pub struct Header {
                pub state: usize,
                pub owner: Option<std::num::NonZeroU64>,
            }
            #[repr(C)]
            pub struct Cell<T, S> {
                pub header: Header,
                pub scheduler: S,
                pub future: T,
            }
        }
        pub mod raw {
            #[inline(never)]
            pub unsafe fn poll<T: Future<Output = u32>, S>(cell: *mut super::core::Cell<T, S>) -> bool {
                let future = unsafe { std::pin::Pin::new_unchecked(&mut (*cell).future) };
                future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
            }
            #[inline(never)]
            pub unsafe fn dealloc<T, S>(cell: *mut super::core::Cell<T, S>) {
                unsafe { std::ptr::drop_in_place(cell) }
            }
            use std::future::Future;
        }
    }
}

pub mod several {
    pub enum Shape {
        Empty,
        Round(u32),
        Flat { width: u64, height: u64 },
    }
    pub enum Niche {
        One(bool),
        Two,
        Three,
    }
    #[repr(i8)]
    #[derive(Clone, Copy)]
    pub enum Signed {
        Below = -2,
        Above = 3,
    }
    pub enum Wide {
        Low(&'static str),
        High([[u16; 3]; 4]),
    }
    pub union Either {
        pub a: u32,
        pub b: f32,
    }
}

thread_local! {
    static CONTEXT: StdCell<u64> = const { StdCell::new(7) };
}

struct Three(u8);

impl Future for Three {
    type Output = u32;
    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<u32> {
        self.0 += 1;
        if self.0 > 3 {
            return std::task::Poll::Ready(u32::from(self.0));
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}

async fn inner(name: String) -> u32 {
    let length = name.len() as u32;
    Three(0).await + length
}

async fn outer(shared: Arc<u64>) -> u32 {
    let boxed: Pin<Box<dyn Future<Output = u32>>> = Box::pin(async { inner("boxed".to_owned()).await });
    let first = inner("first".to_owned()).await;
    first + boxed.await + *shared as u32
}

async fn macros(name: String) -> u32 {
    let one = both!(inner(name.clone()), Three(1));
    let other = both!(Three(2), inner(name));
    one + other
}

#[inline(never)]
fn block_on<F: Future<Output = u32>>(future: F) -> u32 {
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(out) =
            future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        {
            return out;
        }
    }
}

/// There is no such function in the program, only a call of it.
mod entered {
    #[inline(always)]
    pub fn block_on<F: Future<Output = u32>>(future: F) -> u32 {
        super::block_on(future) + 1
    }
}

fn main() {
    use several::{Either, Niche, Shape, Signed, Wide};
    let header = runtime::task::core::Header { state: 0, owner: None };
    let mut cell = runtime::task::core::Cell { header, scheduler: Arc::new(1_u64), future: outer(Arc::new(5)) };
    while !unsafe { runtime::task::raw::poll(&mut cell) } {}
    let mut cell = std::mem::ManuallyDrop::new(cell);
    unsafe { runtime::task::raw::dealloc(&raw mut *cell) };
    CONTEXT.with(|context| context.set(context.get() + u64::from(block_on(outer(Arc::new(1))))));
    let _ = block_on(macros("both".to_owned()));
    let _ = entered::block_on(inner("entered".to_owned()));
    let shapes = [Shape::Empty, Shape::Round(1), Shape::Flat { width: 1, height: 2 }];
    let niches = [Niche::One(true), Niche::Two, Niche::Three];
    let wides = [Wide::Low("text"), Wide::High([[1; 3]; 4])];
    let signed = [Signed::Below, Signed::Above];
    let either = Either { a: 1 };
    std::hint::black_box((&shapes, &niches, &wides, &signed, &either, &cell.header.state, &cell.header.owner));
    println!("{}", CONTEXT.with(StdCell::get));
}
