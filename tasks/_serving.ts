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
