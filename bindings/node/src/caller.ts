/** How generated methods reach a client. */
import type { Writer } from "./msgpack.js";
import type { LazySubscription } from "./subscription.js";
import type { CallOptions, Integer } from "./types.js";

/** Writes the frame of a request. */
export type Encode = (w: Writer) => void;
/** Turns a reply into the result. */
export type Make<R> = (reply: never) => R;

export interface Caller {
  /** Runs a request. */
  call<R>(encode: Encode, make: Make<R>, options: CallOptions | null | undefined): Promise<R>;
  /** Prepares a subscription. */
  subscription<T>(encode: Encode, make: Make<T>, options: CallOptions | null | undefined): LazySubscription<T>;
}

/** Turns the reply of a command that has none into the result. */
export function nothing(): void {}

/** Returns a reply as it is. */
export function asIs<R>(reply: R): R {
  return reply;
}

/** Returns an integer that is no value of the user's: a number wherever that is exact. */
export function toNumber(n: Integer): number {
  return typeof n === "bigint" && n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER ? Number(n) : (n as number);
}

/** Lets null through and makes the rest. */
export function orNull<A, R>(make: (reply: A) => R): (reply: A | null) => R | null {
  return (reply) => (reply === null ? null : make(reply));
}

/** Makes every element of a list. */
export function listOf<A, R>(make: (reply: A) => R): (reply: A[]) => R[] {
  return (reply) => reply.map(make);
}
