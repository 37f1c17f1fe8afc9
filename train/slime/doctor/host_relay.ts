/**
 * Makes servers that only a host can reach, such as Ray's dashboard and SGLang's router, available on this machine.
 *
 * A relay listens on this machine's loopback address and sends each request from the host. Every request is sent as a
 * GET request, without its body.
 */

import { z } from "zod";
import { DataError, HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { Shell } from "../hosts/shell.ts";
import { runPython } from "./host_python.ts";

/** A relay to the servers of a host. Declare it with `await using`. */
export interface Relay extends AsyncDisposable {
  /** Returns the local URL for a base URL on the host. Paths can be appended to it. */
  urlFor(base: string): string;
  /** Replaces the relay's URLs in a message with the URLs on the host. */
  readable(text: string): string;
}

/** The request headers that the relay forwards. */
const PASSED = ["authorization"];

const PROGRAM = `
import urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
request = urllib.request.Request(CASE["url"], headers=CASE["headers"])
try:
    answer = opener.open(request, timeout=CASE["seconds"])
    print(json.dumps({"status": answer.status, "text": answer.read().decode("utf-8", "replace")}))
except urllib.error.HTTPError as error:
    print(json.dumps({"status": error.code, "text": error.read().decode("utf-8", "replace")}))
except OSError as error:
    print(json.dumps({"lost": str(getattr(error, "reason", error))}))
`;

const answerSchema = z.union([
  z.object({ status: z.int(), text: z.string() }),
  z.object({ lost: z.string() }),
]);

/** The time limit in seconds for a server's response to the host. */
const SECONDS = 60;

/** Starts a relay that sends requests from a host. */
export function openRelay(
  host: Shell,
  { python, signal }: CallOptions & { readonly python: string },
): Relay {
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      // Returns the error to the caller. By default, it would also be printed.
      onError: (error) => new Response(String(error), { status: 500 }),
    },
    (request) => pass(request, { host, python, signal }),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    urlFor: (base) => `${origin}/${encodeURIComponent(base)}`,
    readable: (text) =>
      text.replaceAll(
        new RegExp(`${origin}/([\\w%.-]+)`, "g"),
        (_, base: string) => decodeURIComponent(base),
      ),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function pass(
  request: Request,
  { host, python, signal }: {
    host: Shell;
    python: string;
    signal: AbortSignal | undefined;
  },
): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const [, base = "", ...path] = pathname.split("/");
  const url = [decodeURIComponent(base), ...path].join("/") + search;
  const headers = Object.fromEntries(
    PASSED.flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const ends = signal === undefined
    ? request.signal
    : AbortSignal.any([request.signal, signal]);
  try {
    const answer = await runPython(host, python, {
      program: PROGRAM,
      input: JSON.stringify({ url, headers, seconds: SECONDS }),
      output: answerSchema,
      signal: ends,
    });
    return "lost" in answer
      ? broken(answer.lost)
      : new Response(answer.text, { status: answer.status });
  } catch (error) {
    if (ends.aborted) return broken("the request was cancelled");
    const isOurs = error instanceof DataError || error instanceof HostError;
    if (!isOurs) throw error;
    return broken(error.message);
  }
}

/**
 * Creates a response whose connection breaks with the error `why`. A client on the host would see a broken connection,
 * too.
 */
function broken(why: string): Response {
  return new Response(
    new ReadableStream({
      start: (controller) => controller.error(new Error(why)),
    }),
  );
}
