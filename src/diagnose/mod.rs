//! What is wrong: lints, the wait-for graph, evidence and advice. Pure: model in, findings out; no I/O and no clock.
