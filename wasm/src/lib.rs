//! sandtable as a WebAssembly package: one thin binding over the core.
