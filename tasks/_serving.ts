/** Helpers for tasks that serve HTTP: they listen on a port, read the token, and shut the server down. */

import { ConfigError } from "../env/errors.ts";
import { isLoopback } from "../env/serve/loopback.ts";
import type { Terminal } from "./_terminal.ts";

/** A running HTTP server. */
export interface HttpServer {
  readonly addr: Deno.NetAddr;
  /** Stops listening, and resolves once all connections have closed. */
  shutdown(): Promise<void>;
}

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Starts an HTTP server. Port 0 selects a free port. If the process reaches its limit on open files, the server closes
 * idle connections and continues, and a note on the terminal says what to do.
 * @throws {ConfigError} If the port is in use or reserved, or if this machine does not have the address.
 */
export function listen(
  { host, port, terminal }: {
    readonly host: string;
    readonly port: number;
    readonly terminal: Pick<Terminal, "note">;
  },
  handler: Handler,
): HttpServer {
  try {
    return new LastingServer({ hostname: host, port }, { handler, terminal });
  } catch (error) {
    const why = whyNoListener(error);
    if (why === undefined) throw error;
    throw new ConfigError(`Cannot listen on ${host}, port ${port}: ${why}`, {
      cause: error,
      hint: why === NO_ADDRESS
        ? "pass --host with an address of this machine, such as 127.0.0.1"
        : "pass another --port, or --port 0 for a free one",
    });
  }
}

const NO_ADDRESS = "this machine does not have that address";

/** Returns why a server cannot listen on an address; `undefined` if the error has another reason. */
function whyNoListener(error: unknown): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) return "the port is in use";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user lacks the permission to use the port";
  }
  const isUnknown = error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Error && /lookup address/.test(error.message);
  return isUnknown ? NO_ADDRESS : undefined;
}

/** Returns the base URL of a server. IPv6 addresses are bracketed. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Milliseconds to wait before listening again after a server could not accept a connection. */
const REOPEN_MS = 200;

/**
 * A server that keeps running after the process reaches its limit on open files. `Deno.serve` stops for good if it
 * cannot accept a connection, so this class starts it again on the same port.
 */
class LastingServer implements HttpServer {
  readonly addr: Deno.NetAddr;
  readonly #handler: Handler;
  readonly #terminal: Pick<Terminal, "note">;
  /** Promises that resolve when the earlier servers have completed their requests. */
  readonly #closing: Promise<void>[] = [];
  /** The current server; `null` while no server listens. */
  #server: Deno.HttpServer<Deno.NetAddr> | null = null;
  #isOver = false;
  #isTaken = false;

  constructor(
    at: Pick<Deno.NetAddr, "hostname" | "port">,
    { handler, terminal }: {
      readonly handler: Handler;
      readonly terminal: Pick<Terminal, "note">;
    },
  ) {
    this.#handler = handler;
    this.#terminal = terminal;
    this.addr = this.#open(at).addr;
  }

  async shutdown(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#closing, this.#server?.shutdown()]);
  }

  #open({ hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">) {
    const at = { hostname, port, onListen: () => {} };
    const server = Deno.serve(at, this.#handler);
    server.finished.catch((error) => this.#reopen(server, error));
    return this.#server = server;
  }

  async #reopen(server: Deno.HttpServer, error: unknown): Promise<void> {
    if (!isOutOfFiles(error)) throw error;
    if (this.#closing.length === 0) {
      this.#terminal.note(
        "warning: Cannot accept a connection: too many files are open. Connections without a request in progress, including WebSockets, are closed; raise the limit with ulimit -n",
      );
    }
    this.#server = null;
    this.#closing.push(server.shutdown());
    while (this.#server === null && !this.#isOver) {
      await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
      try {
        if (!this.#isOver) this.#open(this.addr);
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) this.#reportTaken();
        else if (!isOutOfFiles(error)) throw error;
      }
    }
  }

  /** Reports that another process has taken the port in the meantime. */
  #reportTaken(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    const { hostname, port } = this.addr;
    this.#terminal.note(
      `warning: Cannot listen on ${hostname}, port ${port}, again: another process uses the port now; stop that process`,
    );
  }
}

function isOutOfFiles(error: unknown): boolean {
  return error instanceof Error &&
    error.message.includes("Too many open files");
}

/**
 * Returns the token in `TAULAB_TOKEN`; `undefined` if it is not set. A token is required unless the server listens on
 * loopback.
 * @param shown A phrase in the error's hint that says how clients send the token, such as `which clients then send as
 * their key`.
 * @throws {ConfigError} If other machines can reach `host` and no token is set.
 */
export function tokenOf(host: string, shown: string): string | undefined {
  const token = Deno.env.get("TAULAB_TOKEN") || undefined;
  if (token !== undefined || isLoopback(host)) return token;
  throw new ConfigError(
    `Cannot listen on ${host} without a token: other machines can reach that address`,
    { hint: `set TAULAB_TOKEN, ${shown}, or pass --host 127.0.0.1` },
  );
}

/** Resolves once `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Milliseconds that clients get to finish their transfers after all work has ended. */
const GRACE_MS = 5000;

/**
 * Stops listening, waits for the work in progress, and then waits for clients to finish their transfers. A connection
 * that is still open after that, for example because its request is incomplete, closes when the process ends.
 * @param options.ended Resolves when no work is in progress. Default: already resolved.
 * @param options.graceMs Milliseconds that clients get to finish their transfers. Default: 5000.
 */
export async function shutDown(
  server: Pick<Deno.HttpServer, "shutdown">,
  { ended = Promise.resolve(), graceMs = GRACE_MS }: {
    readonly ended?: Promise<void>;
    readonly graceMs?: number;
  } = {},
): Promise<void> {
  const closed = server.shutdown();
  await Promise.race([closed, ended]);
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, graceMs);
  await Promise.race([closed, late.promise]);
  clearTimeout(timer);
}
