/// <reference lib="esnext.disposable" preserve="true" />

/**
 * The key of `await using`. Where the runtime has none yet it is made as the
 * language defines it, so that compiled `await using` finds it too.
 */
export const asyncDispose: typeof Symbol.asyncDispose = known();

function known(): typeof Symbol.asyncDispose {
  if (typeof Symbol.asyncDispose !== "symbol") {
    Object.defineProperty(Symbol, "asyncDispose", { value: Symbol("Symbol.asyncDispose") });
  }
  return Symbol.asyncDispose;
}
