/** Batches: many commands in as few round trips as the wire allows. */
import { asIs, type Encode, type Make } from "./caller.js";
import type { Channel } from "./channel.js";
import { SynapError } from "./error.js";
import { InvalidArgumentError, errorOf } from "./generated/errors.js";
import { BatchFamilies } from "./generated/families.js";
import { Writer } from "./msgpack.js";
import type { CallOptions } from "./types.js";

/** The result of one call of a batch, there once the batch has run. */
export class BatchResult<T> {
  #make: Make<T>;
  #done = false;
  #value: T | undefined;
  #error: SynapError | null = null;

  /** @internal */
  constructor(make: Make<T>) {
    this.#make = make;
  }

  /** Returns the result, or throws the error with which the call failed. */
  result(): T {
    if (!this.#done) throw new InvalidArgumentError("the batch has not run yet");
    if (this.#error !== null) throw this.#error;
    return this.#value as T;
  }

  /** The error with which the call failed, null if it did not. */
  get error(): SynapError | null {
    return this.#error;
  }

  /** @internal Takes [reply] or [nil, error] and returns the result or error. */
  settle(outcome: unknown[]): T | SynapError {
    this.#done = true;
    if (outcome.length > 1) return (this.#error = errorOf(outcome[1] as unknown[]));
    return (this.#value = (this.#make as (reply: unknown) => T)(outcome[0]));
  }
}

/** Queues the call that encode writes. */
export type Add = <T>(encode: Encode, make: Make<T>, options: object | null | undefined) => BatchResult<T>;

/** How a batch runs. */
export interface ExecuteOptions extends CallOptions {
  /** Whether the first failure is thrown after all have run. Default: true. */
  throwOnError?: boolean | undefined;
}

/**
 * Commands that run together, in order:
 *
 *     const batch = client.batch();
 *     batch.kv.set("a", "1");
 *     const value = batch.kv.get("a");
 *     await batch.execute();  // [true, "1"]
 *     value.result();         // "1"
 *
 * They are no transaction: other clients' commands may come in between, and a
 * command that fails does not undo or stop the others.
 */
export class Batch extends BatchFamilies {
  readonly #channel: Channel;
  readonly #frames = new Writer();
  #results: BatchResult<unknown>[] = [];

  /** @internal */
  constructor(channel: Channel) {
    super((encode, make, options) => this.#add(encode, make, options));
    this.#channel = channel;
  }

  /** How many calls are queued. */
  get size(): number {
    return this.#results.length;
  }

  /** Queues a command by its name on the server, as the client's `command`. */
  command(name: string, payload: unknown = null): BatchResult<unknown> {
    return this.#add(
      (w) => {
        w.command = typeof name === "string" ? name : "";
        w.array(3);
        w.int(1, "op");
        w.text(name, "name");
        w.json(payload, "payload");
      },
      asIs,
      undefined,
    );
  }

  #add<T>(encode: Encode, make: Make<T>, options: object | null | undefined): BatchResult<T> {
    const start = this.#frames.length;
    try {
      encode(this.#frames);
      if (options !== undefined && options !== null && ("timeoutMs" in options || "signal" in options)) {
        this.#frames.refuse("", "timeoutMs and signal belong to execute(), not to a call of a batch");
      }
    } catch (e) {
      this.#frames.length = start;
      throw e;
    }
    const result = new BatchResult(make);
    this.#results.push(result as BatchResult<unknown>);
    return result;
  }

  /**
   * Runs what is queued now, and empties the batch.
   *
   * @returns The results in order of the calls: a value each, or with
   *   `throwOnError: false` the SynapError with which the call failed.
   * @throws {SynapError} The first failure, once all have run.
   */
  async execute(options: ExecuteOptions = {}): Promise<unknown[]> {
    const results = this.#results;
    if (results.length === 0) return [];
    const frames = this.#frames.bytes.slice(0, this.#frames.length);
    this.#results = [];
    this.#frames.reset();
    const outcomes = await this.#channel.call(
      (w) => {
        w.array(2);
        w.int(2, "op");
        w.array(results.length);
        w.raw(frames);
      },
      asIs<unknown[][]>,
      options,
    );
    const out = results.map((result, i) => result.settle(outcomes[i]!));
    if (options.throwOnError !== false) {
      for (const { error } of results) if (error !== null) throw error;
    }
    return out;
  }
}
