/**
 * Benchmarks the sessions of an environment server: the memory per session, and the time of a step compared with a
 * plain request.
 */

import { expertAgent } from "../env/agents/expert.ts";
import { toPlain } from "../env/python/python_json.ts";
import { rolloutAll } from "../env/rollout.ts";
import type { Action, Dataset } from "../env/types.ts";
import { trialSpecs } from "../env/trials.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { Actor, type Measured, measured } from "./_bench_measure.ts";

/** The results of {@linkcode benchSessions}. */
export interface SessionsBench {
  readonly sessions: number;
  /**
   * Overhead of a step in milliseconds: its duration minus the duration of a plain request made right after it. The
   * bodies of both requests have the same size, and so do the responses.
   */
  readonly stepMs: Measured;
  /** The duration of the plain request in milliseconds. */
  readonly plainMs: Measured;
  /** Heap bytes of the server per session, in the middle of the episodes. */
  readonly bytesPerSession: Measured;
  /**
   * Resident bytes of the process per WebSocket session. The process contains both the server's and the client's end.
   */
  readonly bytesPerSocket: Measured;
}

const SESSIONS = 1000;
const REPEATS = 5;
/** The number of episodes per repeat. */
const EPISODES = 60;

/** Runs the benchmark on a dataset's test tasks, with the expert's actions. */
export async function benchSessions(dataset: Dataset): Promise<SessionsBench> {
  using server = await Actor.open("./_bench_sessions_server.ts", {});
  const episodes = await rolloutAll(trialSpecs(
    dataset.tasks("test").slice(0, EPISODES),
    {
      dataset,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      seed: 1,
    },
  ));
  const plays = episodes.map(({ seed, turns }, task) => ({
    reset: { task, seed },
    actions: turns.map(({ action }) => wireAction(action)),
  }));
  // The first round compiles and opens the connection.
  await stepRound(server.url, plays);
  const steps = [];
  for (let round = 0; round < REPEATS; round++) {
    steps.push(await stepRound(server.url, plays));
  }
  const memory = [];
  for (let round = 0; round < 3; round++) {
    memory.push(await memoryRound(server, plays));
  }
  return {
    sessions: SESSIONS,
    stepMs: measured(steps.map(({ beyond }) => beyond)),
    plainMs: measured(steps.map(({ plain }) => plain)),
    bytesPerSession: measured(memory.map(({ heap }) => heap / SESSIONS)),
    bytesPerSocket: measured(memory.map(({ rss }) => rss / SESSIONS)),
  };
}

interface Play {
  readonly reset: object;
  readonly actions: readonly unknown[];
}

function wireAction(action: Action): unknown {
  return action.type === "respond" ? action : {
    type: "call_tool",
    tool_name: action.call.name,
    arguments: toPlain(action.call.arguments),
  };
}

/**
 * Takes all steps of the episodes, each followed by a plain request of the same size.
 * @returns Medians in milliseconds.
 */
async function stepRound(url: string, plays: readonly Play[]) {
  const beyond: number[] = [];
  const plainly: number[] = [];
  for (const { reset, actions } of plays) {
    const opening = JSON.parse((await post(`${url}/reset`, reset)).text);
    const { session_id } = opening.observation;
    for (const action of actions) {
      const body = { session_id, action };
      const step = await post(`${url}/step`, body);
      // `{"content":""}` is 14 bytes.
      const size = Math.max(0, step.text.length - 14);
      const plain = await post(`${url}/plain?${size}`, body);
      beyond.push(step.ms - plain.ms);
      plainly.push(plain.ms);
    }
    await post(`${url}/close`, { session_id });
  }
  return {
    beyond: measured(beyond).median,
    plain: measured(plainly).median,
  };
}

/**
 * Measures the memory of sessions in the middle of their episodes, then the memory of as many sessions over WebSockets.
 */
async function memoryRound(server: Actor, plays: readonly Play[]) {
  const heapOf = async () => (await server.ask<{ heap: number }>({})).heap;
  const empty = await heapOf();
  const ids: string[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const { reset, actions } = plays[i % plays.length]!;
    const { text } = await post(`${server.url}/reset`, reset);
    const { session_id } = JSON.parse(text).observation;
    ids.push(session_id);
    for (const action of actions.slice(0, actions.length >> 1)) {
      await post(`${server.url}/step`, { session_id, action });
    }
  }
  const heap = await heapOf() - empty;
  for (const session_id of ids) {
    await post(`${server.url}/close`, { session_id });
  }
  await heapOf();
  const before = Deno.memoryUsage().rss;
  const sockets = await Promise.all(
    Array.from(
      { length: SESSIONS },
      (_, i) => openSocket(server.url, plays[i % plays.length]!.reset),
    ),
  );
  const rss = Deno.memoryUsage().rss - before;
  await Promise.all(sockets.map((socket) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.onclose = () => resolve();
    socket.close();
    return promise;
  }));
  return { heap, rss };
}

/** Opens a WebSocket, sends `reset` to start its session, and waits for the response. */
async function openSocket(url: string, reset: object): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  socket.onopen = () =>
    socket.send(JSON.stringify({ type: "reset", data: reset }));
  socket.onmessage = () => resolve(socket);
  socket.onerror = () => reject(new Error(`Cannot open a WebSocket at ${url}`));
  return await promise;
}

async function post(url: string, body: unknown) {
  const text = JSON.stringify(body);
  const start = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: text,
  });
  const answer = await response.text();
  const ms = performance.now() - start;
  if (!response.ok) {
    throw new Error(`${url} responded with an error: ${answer}`);
  }
  return { text: answer, ms };
}
