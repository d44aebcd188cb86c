/** The types that arguments and options have in common. */

/** Text or bytes, kept apart: what goes in comes out. */
export type TextOrBytes = string | Uint8Array;

/** An integer of the full int64 range: a number where that is exact, else a bigint. */
export type Integer = number | bigint;

/** A list of texts: an array, a set, anything that can be iterated but a text itself. */
export type Texts = Iterable<string> & object;

/** A list of texts or bytes: an array, a set, anything that can be iterated but a text or bytes themselves. */
export type Blobs = Iterable<TextOrBytes> & object;

/** A list of numbers. */
export type Floats = Iterable<number> & object;

/** Places on earth: latitude, longitude and the name of the member. */
export type Places = Iterable<readonly [number, number, TextOrBytes]> & object;

/** Keys with their values: pairs, a Map or a plain object. */
export type Pairs =
  | (Iterable<readonly [string, TextOrBytes]> & object)
  | { readonly [key: string]: TextOrBytes };

/** A map from text to text: a plain object. */
export type TextMap = { readonly [key: string]: string };

/** What an AbortSignal is to a call. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What every call takes as its last argument. */
export interface CallOptions {
  /** Deadline of this call in milliseconds, all attempts included. Absent: the client's. */
  timeoutMs?: number | undefined;
  /**
   * Gives the call up: it then fails with CanceledError, whose `cause` is the
   * signal's reason. A command that was under way may have taken effect
   * (`maybeApplied`).
   */
  signal?: CancelSignal | undefined;
}

/** Where synap.wasm comes from: a URL or path, a Response, a compiled module, its bytes, or a promise of one. */
export type WasmSource = string | object;

/** Where synap.wasm comes from, as init takes it. */
export interface InitOptions {
  /** Where synap.wasm comes from. Absent: the file in the package. */
  wasm?: WasmSource | undefined;
}

/** A level of messages: connections that came back are information, broken ones warnings. */
export type LogLevel = "info" | "warn";
/** Takes messages about connections. */
export type LogFunction = (level: LogLevel, message: string) => void;
