/**
 * The part of WASI preview 1 that synap.wasm needs: a clock, randomness, and a
 * place for the Go runtime's last words. All else does not exist.
 */

const OK = 0;
const BADF = 8;
const NOSYS = 52;

type Call = (...args: never[]) => number;

/** Ends the module, which has no other way to give up. */
export class Exit extends Error {
  constructor(code: number, lastWords: string) {
    super(`the WASM module ended with status ${code}${lastWords === "" ? "" : `: ${lastWords}`}`);
  }
}

/**
 * Returns the functions of WASI that a module imports, working on the memory that
 * `memory` returns; `random` fills bytes at random.
 */
export function wasi(module: WebAssembly.Module, memory: () => WebAssembly.Memory, random: (to: Uint8Array) => void): Record<string, Call> {
  const view = (): DataView => new DataView(memory().buffer);
  let written = "";

  const none = (count: number, size: number): number => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return OK;
  };

  const functions: Record<string, Call> = {
    args_sizes_get: none,
    environ_sizes_get: none,
    args_get: () => OK,
    environ_get: () => OK,
    sched_yield: () => OK,
    // There are no open folders: the Go runtime asks until it hears so.
    fd_prestat_get: () => BADF,

    clock_time_get(id: number, _precision: bigint, to: number): number {
      const ms = id === 0 ? Date.now() : performance.now();
      view().setBigUint64(to, BigInt(Math.round(ms * 1000)) * 1000n, true);
      return OK;
    },

    random_get(to: number, n: number): number {
      random(new Uint8Array(memory().buffer, to, n));
      return OK;
    },

    fd_write(fd: number, parts: number, count: number, to: number): number {
      if (fd !== 1 && fd !== 2) return BADF;
      const v = view();
      let n = 0;
      for (let i = 0; i < count; i++) {
        const size = v.getUint32(parts + 8 * i + 4, true);
        written += new TextDecoder().decode(new Uint8Array(v.buffer, v.getUint32(parts + 8 * i, true), size));
        n += size;
      }
      v.setUint32(to, n, true);
      const end = written.lastIndexOf("\n");
      if (end >= 0) {
        console.error(`synap.wasm: ${written.slice(0, end)}`);
        written = written.slice(end + 1);
      }
      return OK;
    },

    proc_exit(code: number): number {
      throw new Exit(code, written);
    },
  };

  const out: Record<string, Call> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === "wasi_snapshot_preview1") out[name] = functions[name] ?? (() => NOSYS);
  }
  return out;
}
