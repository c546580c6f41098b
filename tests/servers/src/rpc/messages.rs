//! What is sent, as `prost` would have made it from a `.proto` file.

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Vehicle {
    #[prost(uint64, tag = "1")]
    pub(crate) id: u64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Position {
    #[prost(uint64, tag = "1")]
    pub(crate) vehicle: u64,
    #[prost(sint64, tag = "2")]
    pub(crate) x: i64,
    #[prost(sint64, tag = "3")]
    pub(crate) y: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Advice {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}
