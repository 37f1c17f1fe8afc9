import assert from "node:assert/strict";
import zlib from "node:zlib";
import fc from "fast-check";
import { MAX_BODY_BYTES } from "../../../env/models/bounded_body.ts";
import { KeepAlive } from "../../../env/models/keep_alive.ts";
import { fetchPost, type PostOptions } from "../../../env/models/post.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A function that serves one connection of a peer. It may read requests and write bytes. */
type Answering = (connection: {
  /** Returns the next request, with its head and body; `null` once the client has closed the connection. */
  readonly next: () => Promise<string | null>;
  readonly write: (text: string | Uint8Array) => Promise<void>;
}) => Promise<void>;

/** Starts a server on a plain socket. */
function peer(answer: Answering) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen = { connections: 0 };
  const open = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const socket of listener) {
      seen.connections++;
      const one = serve(socket, answer).finally(() => open.delete(one));
      open.add(one);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}/generate`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

async function serve(socket: Deno.TcpConn, answer: Answering): Promise<void> {
  let received = "";
  async function next(): Promise<string | null> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/.exec(received)?.[1]);
      const total = end + 4 + length;
      if (end >= 0 && received.length >= total) {
        const request = received.slice(0, total);
        received = received.slice(total);
        return request;
      }
      const count = await socket.read(buffer).catch(() => null);
      if (count === null) return null;
      received += decoder.decode(buffer.subarray(0, count));
    }
  }
  async function write(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    for (let at = 0; at < bytes.length;) {
      at += await socket.write(bytes.subarray(at));
    }
  }
  try {
    await answer({ next, write });
  } catch {
    // The client closed the connection.
  } finally {
    socket.close();
  }
}

/** Starts a server that answers every request with the same bytes and keeps the connection open. */
function repeating(response: string | Uint8Array) {
  return peer(async ({ next, write }) => {
    while (await next() !== null) await write(response);
  });
}

/** Starts a server that answers the first request of a connection with the given bytes, then closes the connection. */
function once(response: string | Uint8Array) {
  return peer(async ({ next, write }) => {
    if (await next() !== null) await write(response);
  });
}

function asked(options: Partial<PostOptions> = {}): PostOptions {
  const { signal } = new AbortController();
  return { headers: {}, body: "{}", signal, ...options };
}

function ok(body: string, headers = ""): string {
  const { length } = encoder.encode(body);
  return `HTTP/1.1 200 OK\r\n${headers}content-length: ${length}\r\n\r\n${body}`;
}

Deno.test("KeepAlive.post() sends what fetch sends, and reads what fetch reads", async () => {
  const seen: [string, Record<string, string>, string][] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await request.text();
      const path = new URL(request.url).pathname;
      seen.push([path, Object.fromEntries(request.headers), body]);
      return new Response(`größer 🙂 ${body}`, {
        status: 418,
        headers: { "x-a": "b" },
      });
    },
  );
  using client = new KeepAlive();
  const url = `http://127.0.0.1:${server.addr.port}/generate`;
  const options = asked({
    body: encoder.encode('{"ä":1}'),
    headers: { authorization: "Bearer k" },
  });
  const [ours, theirs] = [
    await client.post(url, options),
    await fetchPost(url, options),
  ];
  for (const { status, text, fault, headers } of [ours, theirs]) {
    assert.deepEqual([status, text, fault, headers.get("x-a")], [
      418,
      'größer 🙂 {"ä":1}',
      null,
      "b",
    ]);
  }
  const { "user-agent": _agent, "accept-language": _language, ...rest } =
    seen[1]![1];
  assert.deepEqual(seen[0], ["/generate", rest, '{"ä":1}']);
});

Deno.test("KeepAlive.post() writes the head before the body only within the given room", async () => {
  const requests: string[] = [];
  await using server = peer(async ({ next, write }) => {
    for (let request; (request = await next()) !== null;) {
      requests.push(request);
      await write(ok("hello"));
    }
  });
  using client = new KeepAlive();
  const body = new Uint8Array(1000).subarray(500, 502);
  body.set(encoder.encode("{}"));
  for (const headRoom of [0, 20, 400]) {
    await client.post(server.url, asked({ body, headRoom }));
    const before = new Uint8Array(body.buffer).subarray(0, 500 - headRoom);
    assert.ok(before.every((byte) => byte === 0));
  }
  assert.equal(new Set(requests).size, 1);
  assert.match(requests[0]!, /^POST \/generate HTTP\/1.1\r\n[^]*\r\n\r\n\{\}$/);
});

Deno.test("KeepAlive.post() reuses a connection, and opens one for each concurrent request", async () => {
  await using server = repeating(ok("hello"));
  using client = new KeepAlive();
  for (let at = 0; at < 5; at++) {
    assert.equal((await client.post(server.url, asked())).text, "hello");
  }
  assert.equal(server.seen.connections, 1);
  await Promise.all(
    Array.from({ length: 3 }, () => client.post(server.url, asked())),
  );
  assert.equal(server.seen.connections, 3);
});

Deno.test("KeepAlive.post(): a signal that aborts later leaves the connection open", async () => {
  await using server = repeating(ok("hello"));
  using client = new KeepAlive();
  const over = new AbortController();
  await client.post(server.url, asked({ signal: over.signal }));
  over.abort();
  await client.post(server.url, asked());
  assert.equal(server.seen.connections, 1);
});

Deno.test("KeepAlive.post() opens a new connection if the server has closed the old one", async () => {
  await using server = once(ok("hello"));
  using client = new KeepAlive();
  for (let at = 0; at < 3; at++) {
    assert.equal((await client.post(server.url, asked())).text, "hello");
  }
  assert.equal(server.seen.connections, 3);
});

Deno.test("KeepAlive.post() repeats a request only if the server answered nothing on an old connection", async () => {
  let requests = 0;
  await using server = peer(async ({ next, write }) => {
    if (await next() === null) return;
    requests++;
    await write(ok("one"));
    if (await next() === null) return;
    requests++;
    await write("HTTP/1.1 200 OK\r\ncontent-le"); // and close
  });
  using client = new KeepAlive();
  await client.post(server.url, asked());
  await assert.rejects(client.post(server.url, asked()), /closed before/);
  assert.deepEqual([requests, server.seen.connections], [2, 1]);
});

Deno.test("KeepAlive.post() reads chunks, trailers, interim responses and bodies that end with the connection", async () => {
  const cases: [response: string, text: string][] = [
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx-t: 1\r\n\r\n",
      "hello",
    ],
    [`HTTP/1.1 100 Continue\r\n\r\n${ok("hello")}`, "hello"],
    ["HTTP/1.1 200\r\n\r\nhello", "hello"],
    ["HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"],
    ["HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""],
  ];
  for (const [response, text] of cases) {
    // Byte by byte, every state is entered with too few bytes.
    for (const step of [1, 7, 1000]) {
      await using server = peer(async ({ next, write }) => {
        if (await next() === null) return;
        const bytes = encoder.encode(response);
        for (let at = 0; at < bytes.length; at += step) {
          await write(bytes.slice(at, at + step));
        }
      });
      using client = new KeepAlive();
      const posted = await client.post(server.url, asked());
      assert.deepEqual([posted.text, posted.fault], [text, null], response);
    }
  }
});

Deno.test("KeepAlive.post() rejects responses whose end is in doubt", async () => {
  const head = "HTTP/1.1 200 OK\r\n";
  const cases: [response: string, message: RegExp][] = [
    ["", /closed before/],
    ["nonsense\r\n\r\n", /not HTTP/],
    ["HTTP/2 200 OK\r\n\r\n", /not HTTP/],
    ["HTTP/1.1 20 OK\r\n\r\n", /not HTTP/],
    [`${head}a b: c\r\n\r\n`, /header .* malformed/],
    [`${head}no colon\r\n\r\n`, /header .* malformed/],
    [`${head}a: b\r\n folded: c\r\n\r\n`, /header .* malformed/],
    [`${head}a: b\nc: d\r\n\r\n`, /header .* malformed/],
    [`${head}content-length: -1\r\n\r\n`, /content-length/],
    [`${head}content-length: 5, 6\r\n\r\nhello`, /content-length/],
    [
      `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
      /content-length/,
    ],
    [`${head}content-length: 6\r\n\r\nhello`, /closed before/],
    [`${head}transfer-encoding: gzip, chunked\r\n\r\n`, /transfer encoding/],
    [`${head}transfer-encoding: chunked\r\n\r\nx\r\n`, /size of a chunk/],
    [
      `${head}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n`,
      /chunk header or trailer/,
    ],
    [
      `${head}transfer-encoding: chunked\r\n\r\n2\r\na\r\n0\r\n\r\n`,
      /chunk header or trailer/,
    ],
    [
      `${head}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(300)}\r\na`,
      /chunk header or trailer/,
    ],
    [`${head}transfer-encoding: chunked\r\n\r\n5\r\nhel`, /closed before/],
    [`${head}x: ${"y".repeat(70_000)}\r\n\r\n`, /headers have more than 65536/],
    [`${head}${"x: y\r\n".repeat(20_000)}\r\n`, /headers have more than 65536/],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(20), /too many interim/],
    ["HTTP/1.1 101 Switching\r\n\r\n", /upgrade/],
  ];
  for (const [response, message] of cases) {
    await using server = once(response);
    using client = new KeepAlive();
    await assert.rejects(client.post(server.url, asked()), { message });
  }
});

Deno.test("KeepAlive.post() does not reuse a connection with bytes beyond a response", async () => {
  for (
    const response of [
      ok("hello") + ok("forged"),
      ok("hello", "connection: close\r\n"),
      ok("hello", "transfer-encoding: chunked\r\n").replace(
        "\r\nhello",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
      ),
    ]
  ) {
    await using server = repeating(response);
    using client = new KeepAlive();
    for (let at = 0; at < 2; at++) {
      assert.equal((await client.post(server.url, asked())).text, "hello");
    }
    assert.equal(server.seen.connections, 2);
  }
});

Deno.test("KeepAlive.post() drops a connection on which a response arrives before its request", async () => {
  const written = Promise.withResolvers<void>();
  await using server = peer(async ({ next, write }) => {
    if (await next() === null) return;
    await write(ok("hello"));
    await written.promise;
    await write(ok("forged"));
    await next();
  });
  using client = new KeepAlive();
  assert.equal((await client.post(server.url, asked())).text, "hello");
  written.resolve();
  // The forged response has arrived once the client has closed the connection.
  while (client.unused > 0) await new Promise((done) => setTimeout(done, 1));
  assert.equal((await client.post(server.url, asked())).text, "hello");
  assert.equal(server.seen.connections, 2);
});

Deno.test("KeepAlive.post() bounds endless and compressed bodies", async () => {
  const part = "x".repeat(65_536);
  for (const start of ["", "transfer-encoding: chunked\r\n"]) {
    await using server = peer(async ({ next, write }) => {
      await next();
      await write(`HTTP/1.1 200 OK\r\n${start}\r\n`);
      for (;;) await write(start === "" ? part : `10000\r\n${part}\r\n`);
    });
    using client = new KeepAlive();
    const { text, fault } = await client.post(server.url, asked());
    assert.equal(text.length, MAX_BODY_BYTES);
    assert.match(fault ?? "", /more than 16777216 bytes/);
  }
  const bomb = zlib.gzipSync(new Uint8Array(64 * 2 ** 20));
  await using server = repeating(
    Uint8Array.from([
      ...encoder.encode(
        `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`,
      ),
      ...bomb,
    ]),
  );
  using client = new KeepAlive();
  const { text, fault } = await client.post(server.url, asked());
  assert.equal(text, "");
  assert.match(fault ?? "", /more than 16777216 bytes/);
});

Deno.test("KeepAlive.post() does not follow redirects", async () => {
  await using server = repeating(
    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
  );
  using client = new KeepAlive();
  const { status, headers } = await client.post(server.url, asked());
  assert.deepEqual([status, headers.get("location")], [
    307,
    "http://127.0.0.1:1/",
  ]);
});

Deno.test("KeepAlive.post() rejects with the signal's reason, before and after the request was sent", async () => {
  await using server = peer(async ({ next }) => {
    while (await next() !== null);
  });
  using client = new KeepAlive();
  const reason = new Error("enough");
  await assert.rejects(
    client.post(server.url, asked({ signal: AbortSignal.abort(reason) })),
    reason,
  );
  const over = new AbortController();
  const posted = client.post(server.url, asked({ signal: over.signal }));
  setTimeout(() => over.abort(reason), 20);
  await assert.rejects(posted, reason);
  assert.equal(client.unused, 0);
});

Deno.test("KeepAlive.post() rejects if the signal is aborted just after the connection was opened", async () => {
  await using server = peer(async ({ next, write }) => {
    while (await next() !== null) await write(ok("late"));
  });
  using client = new KeepAlive();
  const reason = new Error("enough");
  const { connect } = Deno;
  for (let turns = 0; turns < 4; turns++) {
    const over = new AbortController();
    const abort = async () => {
      for (let turn = 0; turn < turns; turn++) await undefined;
      over.abort(reason);
    };
    const opening = (options: Deno.ConnectOptions) => {
      const socket = connect(options);
      socket.then(abort);
      return socket;
    };
    Object.assign(Deno, { connect: opening });
    try {
      await assert.rejects(
        client.post(server.url, asked({ signal: over.signal })),
        reason,
        `${turns} turns`,
      );
    } finally {
      Object.assign(Deno, { connect });
    }
  }
  assert.equal(client.unused, 0);
});

Deno.test("KeepAlive.post() returns an answer to a request that the server did not read", async () => {
  await using server = peer(async ({ write }) => {
    await write("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    await new Promise((done) => setTimeout(done, 50));
  });
  using client = new KeepAlive();
  const body = new Uint8Array(32 * 2 ** 20);
  const { status, text } = await client.post(server.url, asked({ body }));
  assert.deepEqual([status, text, client.unused], [413, "no", 0]);
});

Deno.test("KeepAlive.post() rejects headers that could end the head", async () => {
  using client = new KeepAlive();
  for (const value of ["a\r\nb: c", "a\nb", "a\0", "ä"]) {
    await assert.rejects(
      client.post("http://127.0.0.1:1/", asked({ headers: { a: value } })),
      TypeError,
    );
  }
});

Deno.test("KeepAlive closes connections that are unused for long, and all when it is disposed of", async () => {
  await using server = repeating(ok("hello"));
  const client = new KeepAlive({ idleMs: 5 });
  await client.post(server.url, asked());
  while (client.unused > 0) await new Promise((done) => setTimeout(done, 1));
  await client.post(server.url, asked());
  assert.equal(server.seen.connections, 2);
  client[Symbol.dispose]();
  assert.equal(client.unused, 0);
});

Deno.test("KeepAlive.post() never mistakes one response for another, whatever a server sends", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...["HTTP/1.1 200 OK", "HTTP/1.0 200", "\r\n", "\n", "\r", "0", "5", ":"],
      ...[
        "content-length: ",
        "transfer-encoding: chunked",
        "connection: close",
      ],
      ...["hello", "ffffffff", "-1", " ", "\0", "content-encoding: gzip", "é"],
    ),
    fc.string({ maxLength: 20 }),
  );
  const garbage = fc.array(piece, { maxLength: 30 }).map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(garbage, fc.nat(40), async (text, step) => {
      let first = true;
      await using server = peer(async ({ next, write }) => {
        const isFirst = first;
        first = false;
        if (!isFirst) {
          while (await next() !== null) await write(ok("right"));
          return;
        }
        if (await next() === null) return;
        const bytes = encoder.encode(text);
        for (let at = 0; at < bytes.length; at += step + 1) {
          await write(bytes.slice(at, at + step + 1));
        }
      });
      using client = new KeepAlive();
      const posted = await client.post(server.url, asked()).catch((error) => {
        assert.ok(error instanceof Error);
        return undefined;
      });
      assert.ok(posted === undefined || posted.text.length <= text.length);
      // Whatever the first response was, the second one comes from another connection.
      first = false;
      const { text: second } = await client.post(server.url, asked());
      assert.equal(second, "right");
    }),
    { numRuns: 400 },
  );
});
