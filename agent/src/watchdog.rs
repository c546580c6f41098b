//! A plain OS thread that notices stalls; it works when every worker is blocked.
