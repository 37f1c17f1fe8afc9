/**
 * Benchmarks the worlds of each τ³-bench domain. It measures how many episodes one core plays per second, each with all
 * of its gold actions, and how many heap bytes each live episode takes. If the Python original is installed, its speed
 * is measured too.
 */

import { fileURLToPath } from "node:url";
import { evaluateEnvironment } from "../env/benchmarks/tau3/evaluators/environment_evaluator.ts";
import {
  BASE_SPLIT,
  loadTau3,
  type Tau3Bundle,
} from "../env/benchmarks/tau3/load_bundle.ts";
import type {
  Tau3Call,
  Tau3Message,
} from "../env/benchmarks/tau3/tau3_message.ts";
import type { Tau3Task } from "../env/benchmarks/tau3/tau3_task.ts";
import {
  startWorld,
  type Tau3World,
} from "../env/benchmarks/tau3/tau3_world.ts";
import { domainNamed, domainNames } from "../env/domains/registry.ts";
import { printPythonJson } from "../env/python/python_json.ts";
import type { JsonValue } from "../env/python/python_value.ts";
import { heapBytes, type Measured, measured } from "./_bench_measure.ts";
import { ownUsage } from "./_bench_process.ts";

/** The benchmark results for a domain. */
export interface Tau3Bench {
  readonly domain: string;
  readonly tasks: number;
  /**
   * Episodes per second of CPU time, which other programs hardly affect. Each episode sets up a world, makes all gold
   * actions, and compares the conversation with its replay.
   */
  readonly goldEpisodesPerS: Measured;
  /** Heap bytes per world after the gold actions, including the messages. */
  readonly bytesPerEpisode: Measured;
  /** Episodes per second of CPU time in the Python original; `null` if it is not installed. */
  readonly pythonEpisodesPerS: Measured | null;
}

/** Options for {@linkcode benchTau3}. */
export interface Tau3BenchOptions {
  readonly dir: string;
  /** The directory of Python packages that include tau2. Default: the packages of `python3`. */
  readonly packages?: string | undefined;
  readonly onStage?: (text: string) => void;
}

const REPEAT_MS = 500;
const REPEATS = 5;
/** The number of live episodes while memory is measured. */
const LIVE = 500;
/** Seconds after which a repeat of the Python original starts no more episodes. */
const PYTHON_S = 3;

/** Measures every domain of τ³-bench. */
export async function benchTau3(
  { dir, packages, onStage = () => {} }: Tau3BenchOptions,
): Promise<Tau3Bench[]> {
  const benches: Tau3Bench[] = [];
  const keys = domainNames(({ benchmark, bundle }) =>
    benchmark === "tau3" && bundle !== undefined
  );
  for (const key of keys) {
    const { name } = domainNamed(key);
    onStage(`measuring ${name}`);
    const bundle = await loadTau3(dir, name);
    const tasks = bundle.tasksOf(BASE_SPLIT);
    episodesPerS(bundle, tasks);
    const speeds: number[] = [];
    const sizes: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      speeds.push(episodesPerS(bundle, tasks));
      sizes.push(bytesPerEpisode(bundle, tasks));
    }
    onStage(`measuring ${name} in Python`);
    benches.push({
      domain: name,
      tasks: tasks.length,
      goldEpisodesPerS: measured(speeds),
      bytesPerEpisode: measured(sizes),
      pythonEpisodesPerS: await pythonEpisodesPerS(bundle, packages),
    });
  }
  return benches;
}

function episodesPerS(bundle: Tau3Bundle, tasks: readonly Tau3Task[]): number {
  const start = ownUsage().cpuMs;
  let episodes = 0;
  while (ownUsage().cpuMs - start < REPEAT_MS) {
    for (const task of tasks) {
      const { messages } = playGold(bundle, task);
      evaluateEnvironment({
        source: bundle,
        task,
        messages,
        solo: false,
        strict: true,
      });
      episodes++;
    }
  }
  return episodes / (ownUsage().cpuMs - start) * 1000;
}

function bytesPerEpisode(
  bundle: Tau3Bundle,
  tasks: readonly Tau3Task[],
): number {
  const before = heapBytes();
  const live = Array.from(
    { length: LIVE },
    (_, i) => playGold(bundle, tasks[i % tasks.length]!),
  );
  return (heapBytes() - before) / live.length;
}

/**
 * Plays a task's gold actions.
 * @returns The world, and the conversation: the calls, each followed by its result.
 */
function playGold(
  bundle: Tau3Bundle,
  task: Tau3Task,
): { readonly world: Tau3World; readonly messages: Tau3Message[] } {
  const world = startWorld(bundle, task);
  const messages: Tau3Message[] = [];
  for (const [i, action] of (task.criteria?.actions ?? []).entries()) {
    const call: Tau3Call = { ...action, id: String(i) };
    const { requestor: role } = call;
    messages.push({ role, content: null, toolCalls: [call], cost: 0 });
    messages.push(world.respond(call));
  }
  return { world, messages };
}

/**
 * Measures the episodes per second of CPU time in the Python original, on the same tasks. Returns `null` if the
 * original is not installed.
 */
async function pythonEpisodesPerS(
  bundle: Tau3Bundle,
  packages: string | undefined,
): Promise<Measured | null> {
  const tasks = bundle.tasksOf(BASE_SPLIT).map((task) =>
    new Map<string, JsonValue>([
      [
        "setup",
        task.setUp.map(({ side, name, arguments: args }) =>
          new Map<string, JsonValue>([
            ["env_type", side],
            ["func_name", name],
            ["arguments", args],
          ])
        ),
      ],
      [
        "actions",
        (task.criteria?.actions ?? []).map((action) =>
          new Map<string, JsonValue>([
            ["requestor", action.requestor],
            ["name", action.name],
            ["arguments", action.arguments],
          ])
        ),
      ],
    ])
  );
  const order = new Map<string, JsonValue>([
    ["packages", packages ?? null],
    ["domain", bundle.domain.name],
    ["seconds", PYTHON_S],
    ["repeats", 3],
    ["tasks", tasks],
  ]);
  const script = new URL("./_bench_tau3.py", import.meta.url);
  const child = new Deno.Command("python3", {
    args: ["-B", fileURLToPath(script)],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [{ code, stdout }] = await Promise.all([
    child.output(),
    new Blob([printPythonJson(order)]).stream().pipeTo(child.stdin)
      .catch(() => {}),
  ]);
  if (code !== 0) return null;
  return measured(JSON.parse(new TextDecoder().decode(stdout)) as number[]);
}
