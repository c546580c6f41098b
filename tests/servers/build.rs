//! The gRPC service `fleet.Fleet`, from the messages in `src/rpc/messages.rs`: without a `.proto` file there is no need of `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn method(name: &str, route: &str, input: &str, output: &str) -> tonic_build::manual::MethodBuilder {
    let path = |message: &str| format!("crate::rpc::messages::{message}");
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(path(input))
        .output_type(path(output))
        .codec_path("tonic_prost::ProstCodec")
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let fleet = Service::builder()
        .name("Fleet")
        .package("fleet")
        .method(method("locate", "Locate", "Vehicle", "Position").build())
        .method(method("follow", "Follow", "Vehicle", "Position").server_streaming().build())
        .method(method("report", "Report", "Position", "Advice").client_streaming().server_streaming().build())
        .build();
    Builder::new().compile(&[fleet]);
}
