//! Two gRPC services on one port, from a thread and a runtime of their own: the console's `Instrument`, and holdup's `Diagnostics`.
