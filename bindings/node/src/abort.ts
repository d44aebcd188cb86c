/** Many calls on one signal, which would warn of more than ten listeners. */
import type { CancelSignal } from "./types.js";

interface Listening {
  readonly runs: Set<() => void>;
  readonly listener: () => void;
}

const signals = new WeakMap<CancelSignal, Listening>();

/** Runs a function when the signal aborts; the function returned takes that back. */
export function whenAborted(signal: CancelSignal, run: () => void): () => void {
  let entry = signals.get(signal);
  if (entry === undefined) {
    const runs = new Set<() => void>();
    entry = { runs, listener: () => [...runs].forEach((r) => r()) };
    signals.set(signal, entry);
    signal.addEventListener("abort", entry.listener);
  }
  const { runs, listener } = entry;
  runs.add(run);
  return () => {
    if (!runs.delete(run) || runs.size > 0) return;
    signals.delete(signal);
    signal.removeEventListener("abort", listener);
  };
}
