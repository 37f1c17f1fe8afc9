import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { slowJson } from "../../../env/serve/slow_json.ts";

/** Starts a server that answers each request with the result of `work` and reports when the first request arrives. */
function serve(work: (signal: AbortSignal) => Promise<unknown>, everyMs = 5) {
  const heard = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      heard.resolve();
      await request.text();
      return slowJson(work, { client: request.signal, everyMs });
    },
  );
  return {
    /** Resolves when the head of a request has arrived, before its body. */
    heard: heard.promise,
    port: server.addr.port,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/**
 * Creates work that ends only when its client disconnects. `begun` resolves when the work begins. When the work ends,
 * `gone` resolves to the message of the abort.
 */
function endless() {
  const begun = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<string>();
  return {
    begun: begun.promise,
    gone: gone.promise,
    work: (signal: AbortSignal) =>
      new Promise<unknown>((resolve) => {
        begun.resolve();
        signal.addEventListener("abort", () => {
          gone.resolve(signal.reason.message);
          resolve(null);
        });
      }),
  };
}

/** Blocks the event loop for a number of milliseconds. */
function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("slowJson() sends keep-alive bytes, then the answer", async () => {
  const release = Promise.withResolvers<unknown>();
  await using server = serve(() => release.promise);
  const response = await fetch(server.url);
  assert.equal(response.status, 200);
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = (await reader.read()).value ?? "";
  assert.match(text, /^ +$/);
  release.resolve({ reward: 1 });
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  assert.deepEqual(JSON.parse(text), { reward: 1 });
});

Deno.test("slowJson() notices that its client has disconnected, however the request was split into packets", async () => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
  for (const [first, second] of [[`${head}{}`, ""], [head, "{}"]] as const) {
    const { begun, gone, work } = endless();
    await using server = serve(work, 60_000);
    const { port } = server;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(first));
    await server.heard;
    await connection.write(new TextEncoder().encode(second));
    await begun;
    connection.close();
    assert.match(await gone, /client has disconnected/);
  }
});

Deno.test("slowJson() survives a client that disconnects just before the answer is sent", async () => {
  for (let attempt = 0; attempt < 5; attempt++) {
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<unknown>();
    await using server = serve(() => {
      begun.resolve();
      return release.promise;
    }, 60_000);
    const { port } = server;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    const request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    await client.write(new TextEncoder().encode(request));
    await begun.promise;
    await client.read(new Uint8Array(1_000));
    // When this timer and the end of the connection are due at the same time, Deno has closed the body but has not
    // reported it yet. It then cancels the body while the answer is enqueued.
    const timer = delay(1);
    client.close();
    busyFor(10);
    await timer;
    release.resolve({ reward: 1 });
    await delay(0);
  }
});

Deno.test("slowJson() ends the body early if its work fails", async () => {
  await using server = serve(() => Promise.reject(new Error("a bug")));
  await assert.rejects(fetch(server.url).then((response) => response.json()));
});
