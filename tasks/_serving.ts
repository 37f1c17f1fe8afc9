/** What tasks that listen share: a port, who may ask, an end. */

import { ConfigError } from "../env/errors.ts";
import { isLoopback } from "../env/serve/loopback.ts";

/** Listens; port 0 takes a free one. @throws {ConfigError} If the port cannot be had. */
export function listen(
  { host, port }: { readonly host: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new ConfigError(
      `Port ${port} of ${host} is in use`,
      {
        cause: error,
        hint: "choose another by --port, or --port 0 for a free one",
      },
    );
  }
}

/**
 * The token of `TAULAB_TOKEN`, which others than this machine have to show.
 * @param shown How they show it: `which clients then send as their key`.
 * @throws {ConfigError} If others can reach `host`, and no token is set.
 */
export function tokenOf(host: string, shown: string): string | undefined {
  const token = Deno.env.get("TAULAB_TOKEN") || undefined;
  if (token !== undefined || isLoopback(host)) return token;
  throw new ConfigError(
    `--host ${host} can be reached by others`,
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

/** How long clients have to send and to take what is left, once the work has ended. */
const GRACE_MS = 5000;

/**
 * Stops listening, waits for the work under way and then a little for its clients. A connection that is still open
 * after that, say of a client that sent half a request, is closed by the end of the process.
 * @param options.ended Resolves once no work is under way. Default: at once.
 * @param options.graceMs How long clients have after that. Default: 5000.
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
