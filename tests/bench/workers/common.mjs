// What the workers in Node share: arguments, samples, the report. A worker does
// what tests/bench/main.go says of workers.
import { performance } from "node:perf_hooks";

/** The value and the payload of every operation, 100 bytes. */
export const TEXT = "The quick brown fox. ".repeat(5).slice(0, 100);
export const QUEUE = "bench";
/** Commands of an operation "batch". */
export const BATCH = 100;
/** How many latencies are kept, the last ones. */
const KEEP = 1 << 20;
/** V8 compiles what is hot while it runs; seconds until that has settled. */
export const SETTLED = 1;

/** The address, the operation, how many in flight, seconds. */
export function parameters() {
  const [address, op, inFlight, seconds] = process.argv.slice(2);
  if (process.argv.length !== 6) throw new Error(`usage: ${process.argv[1]} ADDRESS OP INFLIGHT SECONDS`);
  return { address, op, inFlight: Number(inFlight), seconds: Number(seconds) };
}

export const keyOf = (slot) => `bench:${slot}`;

export function expect(got, wanted) {
  if (got !== wanted) throw new Error(`got ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

/** Awaits operation(slot) again and again with as many under way as may be, and returns the sorted latencies. */
async function measure(operation, inFlight, seconds) {
  const keep = Math.floor(KEEP / inFlight);
  const samples = [];
  let count = 0;
  const start = performance.now();
  const end = start + 1000 * seconds;
  const one = async (slot) => {
    const mine = new Float64Array(keep);
    let n = 0;
    for (let before = start; before < end; n++) {
      await operation(slot);
      const now = performance.now();
      mine[n % keep] = now - before;
      before = now;
    }
    count += n;
    samples.push(mine.subarray(0, Math.min(n, keep)));
  };
  await Promise.all(Array.from({ length: inFlight }, (_, slot) => one(slot)));
  const elapsed = (performance.now() - start) / 1000;
  const all = new Float64Array(samples.reduce((sum, mine) => sum + mine.length, 0));
  let at = 0;
  for (const mine of samples) {
    all.set(mine, at);
    at += mine.length;
  }
  return { count, elapsed, latencies: all.sort() };
}

/** Prints the result of a measurement. */
export function report({ count, elapsed, latencies }) {
  const percentile = (p) => 1000 * latencies[Math.floor(((latencies.length - 1) * p) / 100)];
  console.log(JSON.stringify({ ops: count, seconds: elapsed, p50_us: percentile(50), p99_us: percentile(99) }));
}

/** Warms up, measures and reports; each operation counts as so many. */
export async function run(operation, { inFlight, seconds }, perOperation = 1) {
  await measure(operation, inFlight, Math.max(seconds / 5, SETTLED));
  const result = await measure(operation, inFlight, seconds);
  report({ ...result, count: result.count * perOperation });
}
