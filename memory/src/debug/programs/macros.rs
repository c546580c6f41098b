//! A macro that awaits, as `select!` and `join!` do.

#[macro_export]
macro_rules! both {
    ($first:expr, $second:expr) => {{
        let mut futures = (Box::pin($first), Box::pin($second));
        std::future::poll_fn(move |cx| {
            let first = std::future::Future::poll(futures.0.as_mut(), cx);
            let second = std::future::Future::poll(futures.1.as_mut(), cx);
            if first.is_ready() || second.is_ready() { std::task::Poll::Ready(3_u32) } else { std::task::Poll::Pending }
        })
        .await
    }};
}
