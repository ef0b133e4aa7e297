// The types of the WebAssembly package, made from the Rust types when it is built.

export type * from "../../pkg/single/sandtable_wasm.js";

/** What the glue module of either build gives; only the one with threads has a pool to start. */
export type Package = typeof import("../../pkg/single/sandtable_wasm.js") & { initThreadPool?(threads: number): Promise<void> };
