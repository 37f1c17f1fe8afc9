import assert from "node:assert/strict";
import zlib from "node:zlib";
import {
  ACCEPT_ENCODING,
  boundedText,
  MAX_BODY_BYTES,
} from "../../../env/models/bounded_body.ts";
import { createMeter } from "../../../env/models/meter.ts";
import { sglangTokenModel } from "../../../env/models/sglang.ts";
import { testCaller } from "../../support/callers.ts";
import { chatAnswer } from "../../support/model_server.ts";
import { modelAt } from "../../support/served_models.ts";

const HELLO = { role: "user", content: "hello" } as const;

/** Starts a server that sends the given responses, regardless of the encoding that the client requested. */
function bodyServer(answer: () => Response) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    answer,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function ask(url: string): Promise<Response> {
  return fetch(url, { headers: { "accept-encoding": ACCEPT_ENCODING } });
}

/**
 * Creates a body that begins with `start` and never ends. `sent` records the number of bytes after `start` and whether
 * the client cancelled the body.
 */
function endless(start = "") {
  const chunk = new TextEncoder().encode("x".repeat(65536));
  const sent = { bytes: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(start)),
    pull(controller) {
      sent.bytes += chunk.length;
      controller.enqueue(chunk);
    },
    cancel: () => void (sent.isCancelled = true),
  });
  return { stream, sent };
}

const PACKED: [encoding: string, pack: (text: string) => Uint8Array][] = [
  ["gzip", (text) => zlib.gzipSync(text)],
  ["x-gzip", (text) => zlib.gzipSync(text)],
  ["deflate", (text) => zlib.deflateSync(text)],
  ["br", (text) => zlib.brotliCompressSync(text)],
  ["gzip, br", (text) => zlib.brotliCompressSync(zlib.gzipSync(text))],
];

Deno.test("boundedText() reads plain and compressed bodies", async () => {
  for (const text of ["", "hello", "größer 🙂".repeat(5000)]) {
    const whole = { text, fault: null };
    assert.deepEqual(await boundedText(new Response(text)), whole);
    await using plain = bodyServer(() => new Response(text));
    assert.deepEqual(await boundedText(await ask(plain.url)), whole);
    for (const [encoding, pack] of PACKED) {
      const headers = { "content-encoding": encoding };
      await using server = bodyServer(() =>
        new Response(new Uint8Array(pack(text)), { headers })
      );
      assert.deepEqual(await boundedText(await ask(server.url)), whole);
    }
  }
  assert.deepEqual(await boundedText(new Response(null)), {
    text: "",
    fault: null,
  });
});

Deno.test("boundedText() reads up to the limit exactly", async () => {
  const maxBytes = 100_000;
  for (const length of [maxBytes - 1, maxBytes, maxBytes + 1]) {
    const { stream } = streamOf("y".repeat(length), 777);
    const { text, fault } = await boundedText(new Response(stream), {
      maxBytes,
    });
    assert.equal(text.length, Math.min(length, maxBytes));
    assert.equal(fault !== null, length > maxBytes);
  }
});

function streamOf(text: string, chunk: number) {
  const bytes = new TextEncoder().encode(text);
  const parts = Array.from(
    { length: Math.ceil(bytes.length / chunk) },
    (_, i) => bytes.slice(i * chunk, (i + 1) * chunk),
  );
  return { stream: ReadableStream.from(parts) };
}

Deno.test("boundedText() cancels an endless body", async () => {
  const { stream, sent } = endless("first words ");
  const { text, fault } = await boundedText(new Response(stream), {
    maxBytes: 2 ** 20,
  });
  assert.match(text, /^first words x+$/);
  assert.match(fault ?? "", /more than 1048576 bytes/);
  assert.ok(sent.isCancelled);
  assert.ok(sent.bytes <= 2 ** 20 + 4 * 65536, `${sent.bytes}`);
});

Deno.test("boundedText() reads a body of many tiny chunks", async () => {
  const chunk = new Uint8Array(1).fill(120);
  let left = 2 ** 17;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      // Several chunks at a time, as a connection delivers them.
      for (let i = 0; i < 4096; i++) controller.enqueue(chunk.slice());
      left -= 4096;
      if (left === 0) controller.close();
    },
  });
  const { text, fault } = await boundedText(new Response(stream));
  assert.equal(fault, null);
  assert.equal(text.length, 2 ** 17);
  assert.match(text, /^x+$/);
});

Deno.test("boundedText() does not decompress beyond the limit", async () => {
  const zeros = new Uint8Array(64 * 2 ** 20);
  const bombs: [string, Uint8Array][] = [
    ["gzip", zlib.gzipSync(zeros, { level: 1 })],
    ["deflate", zlib.deflateSync(zeros, { level: 1 })],
    [
      "br",
      zlib.brotliCompressSync(zeros, {
        params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
      }),
    ],
  ];
  for (const [encoding, bomb] of bombs) {
    assert.ok(bomb.length < 2 ** 20, `${encoding} ${bomb.length}`);
    const response = new Response(new Uint8Array(bomb), {
      headers: { "content-encoding": encoding },
    });
    const before = Deno.memoryUsage().rss;
    const { text, fault } = await boundedText(response);
    assert.equal(text, "");
    assert.match(fault ?? "", /more than 16777216 bytes/);
    assert.ok(Deno.memoryUsage().rss - before < 48 * 2 ** 20, encoding);
  }
});

Deno.test("boundedText() reports bodies that cannot be decompressed", async () => {
  const cases: [encoding: string, body: Uint8Array, fault: RegExp][] = [
    ["gzip", new TextEncoder().encode("plain"), /cannot be decompressed/],
    ["gzip", zlib.gzipSync("cut".repeat(999)).subarray(0, 20), /decompressed/],
    ["zstd", new Uint8Array(4), /encoding "zstd" is not supported/],
    ["gzip", new Uint8Array(1001), /more than 1000 bytes/],
  ];
  for (const [encoding, body, wanted] of cases) {
    const response = new Response(new Uint8Array(body), {
      headers: { "content-encoding": encoding },
    });
    const { text, fault } = await boundedText(response, { maxBytes: 1000 });
    assert.equal(text, "");
    assert.match(fault ?? "", wanted);
  }
});

Deno.test("openaiChatModel(): an endless body, of an answer or an error, is a failure in bounded memory", async () => {
  const cases: [status: number, kind: string, words: RegExp][] = [
    [200, "bad_response", /more than \d+ bytes/],
    [400, "refused", /no such thing x+$/],
    [500, "server_error", /no such thing x+ \(2 attempts\)$/],
  ];
  for (const [status, kind, message] of cases) {
    const sent: { bytes: number; isCancelled: boolean }[] = [];
    await using server = bodyServer(() => {
      const body = endless("no such thing ");
      sent.push(body.sent);
      return new Response(body.stream, { status });
    });
    await assert.rejects(
      modelAt(server, { retries: status === 500 ? 1 : 0 })
        .chat({ tools: [], seed: 1 }).send([HELLO]),
      (error: Error & { kind: string }) => {
        assert.equal(error.kind, kind);
        assert.match(error.message, message);
        assert.ok(error.message.length < 700, `${error.message.length}`);
        return true;
      },
    );
    for (const { bytes } of sent) assert.ok(bytes < 4 * MAX_BODY_BYTES);
  }
});

Deno.test("openaiChatModel() reads a compressed answer, but not a decompression bomb", async () => {
  const pack = (text: string | Uint8Array) =>
    new Response(new Uint8Array(zlib.gzipSync(text)), {
      headers: {
        "content-encoding": "gzip",
        "content-type": "application/json",
      },
    });
  await using server = bodyServer(() => pack(JSON.stringify(chatAnswer("hi"))));
  const { content } = await modelAt(server).chat({ tools: [], seed: 1 })
    .send([HELLO]);
  assert.equal(content, "hi");
  await using bomb = bodyServer(() => pack(new Uint8Array(64 * 2 ** 20)));
  await assert.rejects(
    modelAt(bomb, { retries: 0 }).chat({ tools: [], seed: 1 }).send([HELLO]),
    { kind: "bad_response", message: /more than 16777216 bytes/ },
  );
});

Deno.test("openaiChatModel(): a body that trickles forever times out, in an answer or an error", async () => {
  for (const status of [200, 500]) {
    await using server = bodyServer(() => new Response(trickle(), { status }));
    await assert.rejects(
      modelAt(server, { retries: 0, timeoutMs: 60 })
        .chat({ tools: [], seed: 1 }).send([HELLO]),
      { kind: "timeout", message: /no answer within 0.06 s/ },
    );
  }
});

/** Creates a body that sends a byte every few milliseconds until the client disconnects. */
function trickle(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start(controller) {
      const space = new TextEncoder().encode(" ");
      timer = setInterval(() => controller.enqueue(space), 5);
    },
    cancel: () => clearInterval(timer),
  });
}

Deno.test("sglangTokenModel() cancels an endless answer", async () => {
  await using server = bodyServer(() => new Response(endless("{").stream));
  const model = sglangTokenModel({
    url: server.url,
    model: "m",
    contextLength: 100,
    caller: testCaller({ retries: 0 }),
    meter: createMeter(),
  });
  await assert.rejects(
    model.generate({
      ids: [1],
      session: "s",
      maxTokens: 1,
      temperature: 1,
      stopIds: [9],
      seed: 1,
    }),
    { kind: "bad_response", message: /more than 16777216 bytes/ },
  );
});
