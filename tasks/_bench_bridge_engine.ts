/**
 * Implements the bridge benchmark's engine and its endpoint for simulated users, in a worker. To keep its cost low, it
 * serves SGLang's `/generate` and OpenAI's chat completions on plain sockets, and parses only the length and the
 * conversation key of a request.
 */

/// <reference lib="webworker" />

import { setTimeout as delay } from "node:timers/promises";

declare const self: DedicatedWorkerGlobalScope;

/** The engine's settings. The benchmark sends them in its first message to the worker. */
export interface EngineSettings {
  readonly latencyMs: number;
  /** The response bodies of each conversation, in order. */
  readonly scripts: readonly (readonly string[])[];
  /** The response body of the simulated user. */
  readonly userAnswer: string;
}

/**
 * The pace of an open loop: answers are due at fixed times, independently of the requests. The slots answer one after
 * the other, in a fixed cycle. An episode that misses its slot's time waits for the next cycle.
 */
export interface Pace {
  readonly places: number;
  /** Turns per second across all slots. */
  readonly ratePerS: number;
}

/** The engine's measurements since the previous report. */
export interface EngineReport {
  readonly requests: number;
  /** Milliseconds between each answer and the next request of the same conversation. */
  readonly gapsMs: readonly number[];
  /**
   * The request bodies of every 16th conversation, in order; empty unless the previous request for a report asked to
   * keep them.
   */
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
let userAnswer: Uint8Array = new Uint8Array();
let pace: Pace | null = null;
let pacedFrom = 0;
let keeps = false;
let requests = 0;
let gapsMs: number[] = [];
const conversations = new Map<string, Conversation>();

self.onmessage = ({ data }: MessageEvent) => {
  if (data.type === "orders") {
    const orders: EngineSettings = data.orders;
    latencyMs = orders.latencyMs;
    scripts = orders.scripts.map((bodies) => bodies.map(withHead));
    userAnswer = withHead(orders.userAnswer);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    accept(listener);
    self.postMessage({ port: listener.addr.port });
  } else if (data.type === "pace") {
    pace = data.pace;
    pacedFrom = performance.now();
    self.postMessage({});
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
    const answer = head.startsWith("POST /v1/")
      ? await answerAsUser()
      : await answerAsEngine(head, buffer.subarray(end + 4, total));
    filled = 0;
    for (let at = 0; at < answer.length;) {
      at += await connection.write(answer.subarray(at));
    }
  }
}

async function answerAsUser(): Promise<Uint8Array> {
  await delay(latencyMs);
  return userAnswer;
}

async function answerAsEngine(
  head: string,
  body: Uint8Array,
): Promise<Uint8Array> {
  const key = keyOf(head, body);
  const conversation = heard(key);
  if (keeps) conversation.bodies.push(decoder.decode(body));
  const script = scripts[numberOf(key) % scripts.length]!;
  const answer = script[conversation.turn++ % script.length]!;
  await delay(pace === null ? latencyMs : untilDue(numberOf(key), pace));
  conversation.answeredAt = performance.now();
  return answer;
}

/**
 * Reads the conversation's key from SGLang's header, or from a sampling parameter if the client sends no header.
 * Returns an empty string if there is neither.
 */
function keyOf(head: string, body: Uint8Array): string {
  const key = /x-smg-routing-key: (\S+)/i.exec(head)?.[1];
  if (key !== undefined) return key;
  return /"bench_key": ?"(\d+)"/.exec(decoder.decode(body))?.[1] ?? "";
}

/** Returns how many milliseconds remain until the slot of the episode `key` is due to answer. */
function untilDue(key: number, { places, ratePerS }: Pace): number {
  const slotMs = 1000 / ratePerS;
  const periodMs = places * slotMs;
  const first = pacedFrom + (key % places) * slotMs;
  const now = performance.now();
  const periods = Math.max(0, Math.ceil((now - first) / periodMs));
  return first + periods * periodMs - now;
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
