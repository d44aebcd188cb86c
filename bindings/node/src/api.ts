/** What the package exports in all environments besides the client itself. */
export { Batch, BatchResult, type ExecuteOptions } from "./batch.js";
export { SynapError, type ErrorDetails } from "./error.js";
export * from "./generated/index.js";
export type { InitOptions } from "./host.js";
export { Float } from "./msgpack.js";
export type { LogFunction, LogLevel } from "./runtime.js";
export type { ClientOptions } from "./options.js";
export { LazySubscription, Subscription, type NextOptions } from "./subscription.js";
export type { CallOptions, CancelSignal, Integer, Pairs, TextMap, TextOrBytes, Texts, WasmSource } from "./types.js";
