/**
 * Benchmarks the overhead of the bridge between slime and taulab. Many concurrent episodes run over HTTP against an
 * engine that does almost no work. Their cost is compared with the cost of the same requests made with plain `fetch`.
 * If the directory of slime's Python example is given, the cost is also compared with that of the example.
 *
 * Each server is a separate process. Its CPU time is measured, because other programs have little influence on it.
 */

import denoConfig from "../deno.json" with { type: "json" };
import type { Dataset } from "../env/types.ts";
import type { EngineReport, Pace } from "./_bench_bridge_engine.ts";
import {
  type ExampleBench,
  type ExampleOptions,
  openExample,
} from "./_bench_bridge_example.ts";
import type { PlainRequests } from "./_bench_bridge_server.ts";
import {
  openBenchCodec,
  openBenchDataset,
  scriptsOf,
  USER_ANSWER,
} from "./_bench_bridge_world.ts";
import {
  Actor,
  type Measured,
  measured,
  percentile,
  sum,
  timed,
} from "./_bench_measure.ts";
import { BenchProcess, type ProcessUsage } from "./_bench_process.ts";

/** Options for {@linkcode benchBridge}. */
export interface BridgeOptions {
  readonly tauBench: string | null;
  /** The number of concurrent episodes. */
  readonly episodes: number;
  readonly rounds: number;
  /** The duration of each open loop, in seconds. */
  readonly seconds: number;
  /** Settings for slime's example; `null` to skip the example. */
  readonly example: Omit<ExampleOptions, "engine"> | null;
  readonly onStage?: (stage: string) => void;
}

/** The results of {@linkcode benchBridge}. */
export interface BridgeBench {
  readonly data: string;
  readonly episodes: number;
  readonly latencyMs: number;
  readonly offeredPerS: number;
  readonly turnsPerEpisode: number;
  /** The number of prompt tokens in the longest request, measured in every 16th conversation. */
  readonly tokensPerEpisode: number;
  /** The results with one server process, then with two. */
  readonly servers: readonly ServersBench[];
  readonly example: ExampleBench | null;
}

/** Combined results of one or more server processes. */
export interface ServersBench {
  readonly processes: number;
  /** CPU milliseconds per turn, summed over the processes. */
  readonly turnCpuMs: Measured;
  /** CPU milliseconds per plain request with the same content as a turn, summed over the processes. */
  readonly plainCpuMs: Measured;
  /** The bridge's overhead: `turnCpuMs` minus `plainCpuMs` of the same round. */
  readonly ownCpuMs: Measured;
  /** Turns per second in a closed loop: each episode continues as soon as its request is answered. */
  readonly turnsPerS: Measured;
  /** The 99th percentile of a turn's time in the open loop, in milliseconds, excluding the engine's time. */
  readonly openP99Ms: Measured;
  /** The share of the turns offered in the open loop that were actually played, from 0 to 1. */
  readonly openShare: Measured;
  /** Heap bytes per episode in progress, including its conversation. */
  readonly bytesPerEpisode: Measured;
}

/** The number of episodes that each slot plays in sequence in the closed loop. */
const LENGTH = 2;
/** The latency of the engine in the closed loop, in milliseconds. */
const LATENCY_MS = 50;
/** The rate of the open loop, in turns per second. */
const OFFERED_PER_S = 500;
const PROCESSES = [1, 2];
/** V8 flags of `deno task serve`, which the benchmark's servers use too. */
const SERVE_FLAGS = /--v8-flags=(\S+)/.exec(denoConfig.tasks.serve.command)
  ?.[1]?.split(",");

/** Runs the benchmark. The engine, the servers and this process share the machine's cores. */
export async function benchBridge(
  options: BridgeOptions,
): Promise<BridgeBench> {
  const { tauBench, episodes, example, onStage = () => {} } = options;
  const dataset = await openBenchDataset(tauBench);
  using engine = await Actor.open("./_bench_bridge_engine.ts", {
    type: "orders",
    orders: {
      latencyMs: LATENCY_MS,
      scripts: scriptsOf(dataset, await openBenchCodec()),
      userAnswer: USER_ANSWER,
    },
  });
  const rounds: ServersRounds[] = [];
  for (const processes of PROCESSES) {
    onStage(`measuring the bridge with ${processes} server processes`);
    rounds.push(
      await measureServers(processes, { ...options, dataset, engine }),
    );
  }
  const { bodies, requests } = rounds[0]!;
  if (example !== null) onStage("measuring slime's example");
  return {
    data: dataset.name,
    episodes,
    latencyMs: LATENCY_MS,
    offeredPerS: OFFERED_PER_S,
    turnsPerEpisode: requests / (episodes * LENGTH),
    tokensPerEpisode: Math.max(
      ...bodies.flat().map((body) => JSON.parse(body).input_ids.length),
    ),
    servers: rounds.map(({ bench }) => bench),
    example: example === null
      ? null
      : await measureExample(example, { ...options, dataset, engine }),
  };
}

type Setting = BridgeOptions & {
  readonly dataset: Dataset;
  readonly engine: Actor;
};

/**
 * The participants in a measurement: the engine, the servers, and a chain of episodes per slot. A slot plays the
 * episodes of its chain in sequence. Chains consist of episode keys.
 */
interface World {
  readonly dataset: Dataset;
  readonly engine: Actor;
  readonly servers: readonly Server[];
  readonly chains: readonly (readonly string[])[];
}

interface Server {
  readonly process: BenchProcess;
  readonly url: string;
}

interface ServersRounds {
  readonly bench: ServersBench;
  /** The request bodies of a round in the closed loop. */
  readonly bodies: EngineReport["bodies"];
  readonly requests: number;
}

async function measureServers(
  processes: number,
  setting: Setting,
): Promise<ServersRounds> {
  const { dataset, engine, episodes, rounds } = setting;
  await using stack = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (let i = 0; i < processes; i++) {
    servers.push(await openServer(stack, setting));
  }
  const chains = chainsOf(episodes, LENGTH);
  const world = { dataset, engine, servers, chains };
  await reportOf(engine, { keep: true });
  await play(world);
  const { bodies, requests } = await reportOf(engine);
  for (const { process } of servers) {
    await process.ask({ type: "bodies", bodies });
  }
  const closed: ClosedRound[] = [];
  const opened: OpenRound[] = [];
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    closed.push(await closedRound(world));
    opened.push(await openRound(world, setting.seconds));
    sizes.push(await bytesPerEpisode(world));
  }
  const of = (figure: (round: ClosedRound) => number) =>
    measured(closed.map(figure));
  return {
    bodies,
    requests,
    bench: {
      processes,
      turnCpuMs: of(({ turnCpuMs }) => turnCpuMs),
      plainCpuMs: of(({ plainCpuMs }) => plainCpuMs),
      ownCpuMs: of(({ turnCpuMs, plainCpuMs }) => turnCpuMs - plainCpuMs),
      turnsPerS: of(({ turnsPerS }) => turnsPerS),
      openP99Ms: measured(opened.map(({ p99Ms }) => p99Ms)),
      openShare: measured(opened.map(({ share }) => share)),
      bytesPerEpisode: measured(sizes),
    },
  };
}

async function openServer(
  stack: AsyncDisposableStack,
  { tauBench }: Setting,
  user: string | null = null,
): Promise<Server> {
  const process = stack.use(
    BenchProcess.ofModule("./_bench_bridge_server.ts", SERVE_FLAGS),
  );
  const order = { type: "open", tauBench, user };
  const { port } = await process.ask<{ port: number }>(order);
  return { process, url: `http://127.0.0.1:${port}` };
}

/**
 * Returns one chain per slot: the keys of the `length` episodes that the slot plays in sequence. `places` is the number
 * of slots.
 */
function chainsOf(places: number, length: number): string[][] {
  return Array.from(
    { length: places },
    (_, place) =>
      Array.from({ length }, (_, at) => String(place + at * places)),
  );
}

function reportOf(
  engine: Actor,
  { keep = false } = {},
): Promise<EngineReport> {
  return engine.ask({ type: "report", keep });
}

/** Runs a function and measures the CPU milliseconds that all servers use while it runs. */
async function cpuOf<T>(
  servers: readonly { readonly process: BenchProcess }[],
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly cpuMs: number }> {
  const before = await cpuMsOf(servers);
  const value = await work();
  return { value, cpuMs: await cpuMsOf(servers) - before };
}

async function cpuMsOf(
  servers: readonly { readonly process: BenchProcess }[],
): Promise<number> {
  const all = servers.map(({ process }) =>
    process.ask<ProcessUsage>({ type: "usage" })
  );
  return sum((await Promise.all(all)).map(({ cpuMs }) => cpuMs));
}

interface ClosedRound {
  readonly turnCpuMs: number;
  readonly plainCpuMs: number;
  readonly turnsPerS: number;
}

/** Plays all chains once, then sends the same requests with plain `fetch`, without episodes. */
async function closedRound(world: World): Promise<ClosedRound> {
  const { engine, servers } = world;
  const bridged = await cpuOf(servers, () => timed(() => play(world)));
  const turns = (await reportOf(engine)).requests;
  const plain = await cpuOf(servers, () => playPlainly(world));
  await reportOf(engine);
  return {
    turnCpuMs: bridged.cpuMs / turns,
    plainCpuMs: plain.cpuMs / plain.value,
    turnsPerS: turns / bridged.value.seconds,
  };
}

interface OpenRound {
  readonly p99Ms: number;
  readonly share: number;
}

/**
 * Measures the open loop: waits until every slot is busy, then plays for `lastingS` seconds against an engine that
 * answers at fixed times.
 */
async function openRound(
  world: World,
  lastingS: number,
): Promise<OpenRound> {
  const { engine, chains } = world;
  const pace: Pace = { places: chains.length, ratePerS: OFFERED_PER_S };
  await engine.ask({ type: "pace", pace });
  const over = new AbortController();
  const playing = playEndlessly(world, over.signal);
  // Without a handler, an episode that fails before the end would end the process.
  playing.catch(() => {});
  await pause(2 * 1000 * chains.length / OFFERED_PER_S);
  await reportOf(engine);
  const { value, seconds } = await timed(async () => {
    await pause(1000 * lastingS);
    return await reportOf(engine);
  });
  over.abort();
  await playing;
  await engine.ask({ type: "pace", pace: null });
  await reportOf(engine);
  return {
    p99Ms: percentile(value.gapsMs, 0.99),
    share: value.requests / (seconds * OFFERED_PER_S),
  };
}

/** Plays new episodes in every slot until the signal aborts. */
async function playEndlessly(
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const { servers, chains } = world;
  await Promise.all(chains.map(async (_, place) => {
    const { url } = servers[place % servers.length]!;
    for (let key = place; !signal.aborted; key += chains.length) {
      await askEpisode(world, { key: String(key), url });
    }
  }));
}

/** Plays the chains concurrently, and the episodes of each chain in sequence. */
async function play(world: World): Promise<void> {
  const { servers, chains } = world;
  await Promise.all(chains.map(async (keys, place) => {
    const { url } = servers[place % servers.length]!;
    for (const key of keys) await askEpisode(world, { key, url });
  }));
}

async function askEpisode(
  { dataset, engine }: World,
  { key, url }: { key: string; url: string },
): Promise<void> {
  const tasks = dataset.tasks("train");
  const response = await fetch(`${url}/episodes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      task: Number(key) % tasks.length,
      split: "train",
      seed: Number(key),
      session_id: key,
      engine: engine.url,
    }),
  });
  const text = await response.text();
  if (text.includes('"remove_sample":false')) return;
  throw new Error(`An episode of the benchmark failed: ${text.slice(-1000)}`);
}

/**
 * Sends the requests of the chains with plain `fetch`, without episodes.
 * @returns The number of requests.
 */
async function playPlainly(
  { engine, servers, chains }: World,
): Promise<number> {
  const all = servers.map(async ({ process }, index) => {
    const own = chains.filter((_, place) => place % servers.length === index);
    const order: PlainRequests = { engine: engine.url, chains: own };
    const answer = await process.ask<{ turns: number }>({
      type: "plain",
      ...order,
    });
    return answer.turns;
  });
  return sum(await Promise.all(all));
}

/** Measures the heap bytes per episode in the servers while all episodes are in progress. */
async function bytesPerEpisode(world: World): Promise<number> {
  const { engine, servers, chains } = world;
  const heap = async () => {
    const all = servers.map(({ process }) =>
      process.ask<{ bytes: number }>({ type: "heap" })
    );
    return sum((await Promise.all(all)).map(({ bytes }) => bytes));
  };
  const first = chains.map((keys) => keys.slice(0, 1));
  const before = await heap();
  const playing = play({ ...world, chains: first });
  for (let seen = 0; seen < chains.length * 4;) {
    seen += (await reportOf(engine)).requests;
  }
  const bytes = (await heap() - before) / chains.length;
  await playing;
  await reportOf(engine);
  return bytes;
}

/** Measures slime's example and a server process alternately. In both, a model plays the users. */
async function measureExample(
  options: Omit<ExampleOptions, "engine">,
  setting: Setting,
): Promise<ExampleBench> {
  const { dataset, engine, episodes, rounds } = setting;
  await using stack = new AsyncDisposableStack();
  const server = await openServer(stack, setting, engine.url);
  const example = stack.use(
    await openExample({ ...options, engine: engine.url }),
  );
  const chains = chainsOf(episodes, 1);
  const world = { dataset, engine, servers: [server], chains };
  const round = async (
    process: BenchProcess,
    work: () => Promise<unknown>,
  ) => {
    const { value, cpuMs } = await cpuOf([{ process }], () => timed(work));
    const turns = (await reportOf(engine)).requests;
    return { cpuMs: cpuMs / turns, turnsPerS: turns / value.seconds };
  };
  type Round = Awaited<ReturnType<typeof round>>;
  const bridged: Round[] = [];
  const python: Round[] = [];
  await reportOf(engine);
  for (let at = 0; at <= rounds; at++) {
    const ours = await round(server.process, () => play(world));
    const theirs = await round(
      example.process,
      () => example.play(chains, dataset.tasks("train").length),
    );
    if (at === 0) continue; // warm-up: compiles code and opens connections
    bridged.push(ours);
    python.push(theirs);
  }
  const of = (rounds: readonly Round[]) => ({
    cpuMs: measured(rounds.map(({ cpuMs }) => cpuMs)),
    turnsPerS: measured(rounds.map(({ turnsPerS }) => turnsPerS)),
  });
  return {
    standIns: example.standIns,
    bridge: of(bridged),
    example: of(python),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
