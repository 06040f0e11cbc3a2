//! Tests from outside: the router without a socket, the binary as a process,
//! the W3C suites, and the repository's own rules.

mod architecture;
mod commands;
mod hostile;
mod http;
mod queries;
mod readme;
mod serialisation;
mod support;
