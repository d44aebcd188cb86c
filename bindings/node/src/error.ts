/** What is known of a failure besides its message. */
export interface ErrorDetails {
  readonly statusCode?: number | null | undefined;
  readonly retryable?: boolean | undefined;
  readonly maybeApplied?: boolean | undefined;
  readonly command?: string | undefined;
  readonly transport?: string | undefined;
  readonly cause?: unknown;
}

/** A failed call. Test with `instanceof` for this class for all failures, for a subclass for one kind. */
export class SynapError extends Error {
  /** Name of the kind of failure: "NotFound", "Timeout" and so on, the same in every language. */
  readonly code: string;
  /** HTTP status of the failure, null where there is none. */
  readonly statusCode: number | null;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Whether the command may have taken effect all the same. */
  readonly maybeApplied: boolean;
  /** The command that failed, "" outside a call. */
  readonly command: string;
  /** Scheme of the address ("http", "memory"), "" before a call. */
  readonly transport: string;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    // Set, not declared: minifiers rename classes.
    Object.defineProperty(this, "name", { value: `${code}Error`, configurable: true, writable: true });
    this.code = code;
    this.statusCode = details.statusCode ?? null;
    this.retryable = details.retryable ?? false;
    this.maybeApplied = details.maybeApplied ?? false;
    this.command = details.command ?? "";
    this.transport = details.transport ?? "";
  }
}
