//! A Unix socket: who may come is the system's to say, and nothing is left of it.

use super::{Came, service::Service, watch};
use holdup::source::Credentials;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

#[tokio::test]
async fn its_owner_watches_and_at_the_end_it_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("holdup.sock");
    let address = format!("unix:{}", path.display());
    let mut service = Service::start(&[("HOLDUP_ADDR", &address)]);
    assert_eq!(service.said, path.display().to_string());
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(watch(&address, Credentials::default()).await, Came::State);
    let told = service.line("INFO holdup::audit: ");
    let owner = fs::metadata(&path).expect("it is there").uid();
    let peer = format!("peer=\"user {owner} process {}\" who=\"user {owner}\"", std::process::id());
    assert!(told.contains(&peer) && told.contains("kind=\"attach\""), "{peer}: {told}");

    let second = Service::start(&[("HOLDUP_ADDR", &address)]);
    assert!(second.said.contains("another process listens there"), "{}", second.said);
    second.end();
    assert_eq!(watch(&address, Credentials::default()).await, Came::State);
    service.end();
    assert!(fs::symlink_metadata(&path).is_err(), "it was removed");
}

#[tokio::test]
async fn one_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("holdup.sock");
    let address = format!("unix:{}", path.display());
    // Killed, so that it removes nothing.
    drop(Service::start(&[("HOLDUP_ADDR", &address)]));
    assert!(fs::symlink_metadata(&path).is_ok());
    let _service = Service::start(&[("HOLDUP_ADDR", &address)]);
    assert_eq!(watch(&address, Credentials::default()).await, Came::State);
}
