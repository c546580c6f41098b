//! Connect, back off, reconnect; decode messages. The only room that names tonic and prost.
