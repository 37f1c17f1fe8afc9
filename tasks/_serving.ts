/** Helpers for tasks that serve HTTP: they listen on a port, read the token, and shut the server down. */

import { ConfigError } from "../env/errors.ts";
import { isLoopback } from "../env/serve/loopback.ts";

/**
 * Starts an HTTP server. Port 0 selects a free port.
 * @throws {ConfigError} If the port is in use.
 */
export function listen(
  { host, port }: { readonly host: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new ConfigError(
      `Cannot listen on ${host}, port ${port}: the port is in use`,
      {
        cause: error,
        hint: "pass another --port, or --port 0 for a free one",
      },
    );
  }
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
    `--host ${host} is reachable from other machines, and no token is set`,
    { hint: `set TAULAB_TOKEN, ${shown}, or listen on 127.0.0.1` },
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
