//! Tests from outside: the router without a socket, the binary as a process,
//! the W3C suites, and the repository's own rules.

#![allow(unreachable_pub, clippy::format_push_string, clippy::large_enum_variant)]

mod architecture;
mod commands;
mod conformance;
mod hostile;
mod http;
mod queries;
mod readers;
mod readme;
mod search;
mod serialisation;
mod shapes;
mod support;
mod survival;
