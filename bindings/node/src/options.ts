/** The options of a client, and how the module is told. */
import { InvalidArgumentError } from "./generated/errors.js";
import { optionNames } from "./generated/options.js";

/**
 * The options of a client. Each may also stand in the address as `?name=value` or
 * in the environment as SYNAP_NAME (Node), in the spelling of the other languages:
 * `connect_timeout=3s`, SYNAP_CONNECT_TIMEOUT. An option given here wins over the
 * address, the address over the environment.
 */
export interface ClientOptions {
  /** Deadline of every call, all attempts included, in milliseconds. Default: 5000. */
  timeoutMs?: number | undefined;
  /** Deadline of one connection attempt, in milliseconds. Default: 3000. */
  connectTimeoutMs?: number | undefined;
  /** Further attempts after the first, of calls that may be repeated. Default: 3. */
  maxRetries?: number | undefined;
  /** Longest wait before the first retry, in milliseconds; doubles with each. Default: 50. */
  backoffMs?: number | undefined;
  /** Most connections. Default: 64. Browsers have a limit of their own. */
  poolSize?: number | undefined;
  /** Most calls at once; one more fails. Default: 100000. */
  maxInFlight?: number | undefined;
  /** Largest reply that is read, in bytes. Default: 64 MiB. */
  maxReplyBytes?: number | undefined;
  /** Sent as a bearer token. */
  apiKey?: string | undefined;
  /** Sent with password as basic credentials. */
  username?: string | undefined;
  /** See username. */
  password?: string | undefined;
  /** Certificates to trust instead of the system's: a file or PEM text. Node only. */
  tlsCa?: string | undefined;
  /** Client certificate: a file or PEM text. Node only. */
  tlsCert?: string | undefined;
  /** Key of the client certificate: a file or PEM text. Node only. */
  tlsKey?: string | undefined;
  /** True accepts any certificate. Node only. */
  tlsInsecure?: boolean | undefined;
  /** Where pushes come from: "auto" or "ws". */
  push?: string | undefined;
  /**
   * True gives integers that are yours (the results of incr and its kin, and those
   * inside JSON) always as bigints. Default: numbers, and bigints only beyond the
   * integers that a number holds exactly.
   */
  bigint?: boolean | undefined;
}

/** Returns the options as the module takes them: its names, times with their unit. */
export function moduleOptions(options: ClientOptions): Record<string, unknown> {
  if (typeof options !== "object" || options === null) throw new InvalidArgumentError("the options must be an object");
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (name === "bigint") {
      if (value !== undefined && typeof value !== "boolean") throw new InvalidArgumentError("option bigint must be true or false");
      continue;
    }
    const known = optionNames[name];
    if (known === undefined) {
      throw new InvalidArgumentError(`unknown option ${JSON.stringify(name)}; the options are ${[...Object.keys(optionNames), "bigint"].join(", ")}`);
    }
    if (value === undefined || value === null) continue;
    if (!name.endsWith("Ms")) out[known] = value as unknown;
    else if (typeof value === "number" && value >= 0 && Number.isFinite(value)) out[known] = `${value.toFixed(6)}ms`;
    else throw new InvalidArgumentError(`option ${name} must be a number of milliseconds`);
  }
  return out;
}
