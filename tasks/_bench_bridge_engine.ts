/**
 * The engine of the bridge's benchmark, a worker of its own: SGLang's `/generate` with a fixed latency and next to no
 * work, so that what is measured is the bridge. It speaks HTTP over plain sockets and reads no more of a request
 * than its length and whose it is.
 */

/// <reference lib="webworker" />

import { setTimeout as delay } from "node:timers/promises";

declare const self: DedicatedWorkerGlobalScope;

/** What the engine is told first. */
export interface EngineOrders {
  readonly latencyMs: number;
  /** The conversations that it plays, each the bodies of its answers in order. */
  readonly scripts: readonly (readonly string[])[];
}

/** What it has seen since it was asked last. */
export interface EngineReport {
  readonly requests: number;
  /** Milliseconds between an answer and the next request of the same conversation. */
  readonly gapsMs: readonly number[];
  /** Bodies of the requests of one conversation in 16, in order, where it was told to keep them. */
  readonly bodies: readonly (readonly string[])[];
}

const HEAD_END = [13, 10, 13, 10];
const KEPT_SHARE = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

class Conversation {
  turn = 0;
  answeredAt: number | undefined;
  readonly bodies: string[] = [];
}

let latencyMs = 50;
let scripts: Uint8Array[][] = [];
let keeps = false;
let requests = 0;
let gapsMs: number[] = [];
const conversations = new Map<string, Conversation>();

self.onmessage = ({ data }: MessageEvent) => {
  if (data.type === "orders") {
    const orders: EngineOrders = data.orders;
    latencyMs = orders.latencyMs;
    scripts = orders.scripts.map((bodies) => bodies.map(withHead));
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    accept(listener);
    self.postMessage({ port: listener.addr.port });
  } else {
    const bodies = [...conversations.values()]
      .filter((_, index) => keeps && index % KEPT_SHARE === 0)
      .map((conversation) => conversation.bodies);
    const report: EngineReport = { requests, gapsMs, bodies };
    self.postMessage(report);
    keeps = data.keep === true;
    [requests, gapsMs] = [0, []];
    conversations.clear();
  }
};

async function accept(listener: Deno.Listener): Promise<void> {
  for await (const connection of listener) {
    serve(connection).catch(() => connection.close());
  }
}

async function serve(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1 << 20);
  let filled = 0;
  for (;;) {
    let end = -1;
    while ((end = headEnd(buffer, filled)) < 0) {
      const count = await connection.read(buffer.subarray(filled));
      if (count === null) return connection.close();
      filled += count;
    }
    const head = decoder.decode(buffer.subarray(0, end));
    const total = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
    while (filled < total) {
      const count = await connection.read(buffer.subarray(filled));
      if (count === null) return connection.close();
      filled += count;
    }
    const key = /x-smg-routing-key: (\S+)/i.exec(head)?.[1] ?? "";
    const conversation = heard(key);
    if (keeps) {
      conversation.bodies.push(decoder.decode(buffer.subarray(end + 4, total)));
    }
    filled = 0;
    const script = scripts[numberOf(key) % scripts.length]!;
    const answer = script[conversation.turn++ % script.length]!;
    await delay(latencyMs);
    conversation.answeredAt = performance.now();
    for (let at = 0; at < answer.length;) {
      at += await connection.write(answer.subarray(at));
    }
  }
}

function heard(key: string): Conversation {
  const known = conversations.get(key) ?? new Conversation();
  conversations.set(key, known);
  requests++;
  if (known.answeredAt !== undefined) {
    gapsMs.push(performance.now() - known.answeredAt);
  }
  return known;
}

function numberOf(key: string): number {
  return Number(/\d+/.exec(key)?.[0] ?? 0);
}

function headEnd(buffer: Uint8Array, filled: number): number {
  for (let at = 0; at + 3 < filled; at++) {
    if (HEAD_END.every((byte, offset) => buffer[at + offset] === byte)) {
      return at;
    }
  }
  return -1;
}

function withHead(body: string): Uint8Array {
  const bytes = encoder.encode(body);
  const head = encoder.encode(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`,
  );
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}
