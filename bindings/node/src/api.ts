/** What the package exports in all environments besides the client itself. */
export { Batch, BatchResult, type ExecuteOptions } from "./batch.js";
export { SynapError, type ErrorDetails } from "./error.js";
export * from "./generated/index.js";
export { Float } from "./msgpack.js";
export type { ClientOptions } from "./options.js";
export { LazySubscription, Subscription, type NextOptions } from "./subscription.js";
export type { Blobs, CallOptions, CancelSignal, Floats, InitOptions, Integer, LogFunction, LogLevel, Pairs, Places, TextMap, TextOrBytes, Texts, WasmSource } from "./types.js";
