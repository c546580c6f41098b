//! What is told of the service's own words, and what is left out.

use super::{PATIENCE, service::Service};
use holdup::source::{Event, Options, open};
use tokio::time::timeout;

type Environment = &'static [(&'static str, &'static str)];

/// The span of the service's task, and the message of its panic, as a client has them.
async fn told(environment: Environment) -> (String, String) {
    let service = Service::on_loopback(environment);
    let mut link = open(service.target("http").parse().expect("a target"), Options::default());
    let (mut span, mut message) = (None, None);
    let both = async {
        loop {
            if let Event::Update(update) = link.events.recv().await.expect("the link goes on") {
                let spans = update.task_spans.iter().filter_map(|(_, spans)| spans.first());
                span = spans.map(ToString::to_string).next().or(span.take());
                message = update.panics.first().map(|panic| panic.message.clone()).or(message.take());
            }
            if let (Some(span), Some(message)) = (&span, &message) {
                return (span.clone(), message.clone());
            }
        }
    };
    timeout(PATIENCE, both).await.expect("both in time")
}

#[tokio::test]
async fn values_and_messages_stand_as_left_out() {
    let table: [(Environment, &str, &str); 5] = [
        (&[], "request{route=/greet user=alice}", "no greeting for alice"),
        (&[("HOLDUP_FIELDS", "names")], "request{route=(left out) user=(left out)}", "(left out)"),
        (
            &[("HOLDUP_FIELDS", "names"), ("HOLDUP_FIELDS_ALLOW", "route,panic.message")],
            "request{route=/greet user=(left out)}",
            "no greeting for alice",
        ),
        (&[("HOLDUP_FIELDS", "none")], "request{fields=(2 left out)}", "(left out)"),
        (
            &[("HOLDUP_FIELDS", "none"), ("HOLDUP_FIELDS_ALLOW", "route")],
            "request{route=/greet fields=(1 left out)}",
            "(left out)",
        ),
    ];
    for (environment, span, message) in table {
        let (told_span, told_message) = told(environment).await;
        assert_eq!((told_span.as_str(), told_message.as_str()), (span, message), "{environment:?}");
    }
}
