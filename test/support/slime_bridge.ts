/**
 * Provides slime's side of the bridge for tests: it serves policies as SGLang would, writes rows, and runs rollouts in
 * Python with generate.py.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { slimeRows } from "../../train/slime/plan/tau_example_rows.ts";
import { setTimeout as delay } from "node:timers/promises";
import type { Dataset, Split } from "../../env/types.ts";
import { writePolicyRun } from "./policy_run.ts";
import { testPython } from "./python.ts";
import { taskCommand, type TaskOptions } from "./task_process.ts";

const ROOT = new URL("../../", import.meta.url);

function pathOf(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** A running `deno task serve`. Disposing of it stops the server. */
export interface ServedTask extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** The fields of the JSON line that the task prints when it is ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<Deno.CommandStatus>;
}

/**
 * Starts `deno task serve --json` with the given arguments, and waits until it is ready.
 * @throws {Error} If the task ends before it is ready. The message contains its stderr.
 */
export async function serveTask(
  args: readonly string[],
  options: TaskOptions = {},
): Promise<ServedTask> {
  const child = taskCommand("serve", [...args, "--json"], options).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  if (value === undefined) throw new Error(await errors);
  const ready = JSON.parse(value.split("\n")[0]!);
  return {
    url: ready.url,
    pid: child.pid,
    ready,
    kill: (signal) => child.kill(signal),
    ended: child.status,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has already exited.
      }
      await Promise.all([child.status, drained, errors]);
    },
  };
}

/** Serves an untrained policy as SGLang would. `run` is the policy's run dir, which is created if it does not exist. */
export async function servePolicy(run: string): Promise<ServedTask> {
  const isThere = await Deno.stat(run).then(() => true, () => false);
  if (!isThere) await writePolicyRun(run);
  return await serveTask(["--policy", run, "--port", "0"]);
}

/**
 * Starts SGLang's router as slime does, and waits until it responds. The router has no workers yet.
 * @param policy The routing policy, such as `consistent_hashing`.
 */
export async function serveRouter(
  policy: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const [port, metricsPort] = [freePort(), freePort()];
  const child = new Deno.Command(testPython()!, {
    args: [
      "-B",
      pathOf("test/support/slime/router.py"),
      "127.0.0.1",
      `${port}`,
      `${metricsPort}`,
      policy,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  let code: number | undefined;
  child.status.then((status) => code = status.code);
  for (;;) {
    const answer = await fetch(`${url}/workers`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) break;
    if (code !== undefined) throw new Error(`the router ended with ${code}`);
    await delay(50);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Returns a port on which nothing listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Writes the rows of a split in slime's format.
 * @returns The path of the file.
 */
export async function writeRows(
  dir: string,
  { dataset, split }: { dataset: Dataset; split: Split },
): Promise<string> {
  const path = join(dir, `${dataset.domain}_${split}_tasks.jsonl`);
  await Deno.writeTextFile(path, slimeRows(dataset.tasks(split), "split"));
  return path;
}

/** Returns the arguments of slime that generate.py reads. */
export function slimeArgs(
  engine: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const { hostname, port } = new URL(engine);
  return {
    rollout_seed: 5,
    sglang_router_ip: hostname,
    sglang_router_port: Number(port),
    sglang_server_concurrency: 64,
    rollout_max_context_len: 2048,
    eval_max_context_len: 2048,
    rollout_max_response_len: 16,
    rollout_batch_size: 12,
    over_sampling_batch_size: 16,
    n_samples_per_prompt: 8,
    n_samples_per_eval_prompt: 2,
    advantage_estimator: "grpo",
    rewards_normalization: true,
    grpo_std_normalization: false,
    custom_generate_function_path: "generate.generate",
    custom_eval_rollout_log_function_path: "generate.leave_out_of_eval",
    dynamic_sampling_filter_path: null,
    reward_key: null,
    ...more,
  };
}

/** A sample of slime, as generate.py returns it. */
export interface SlimeSample {
  /** A single message whose content is the number of the task. */
  readonly prompt: readonly { readonly content: string }[];
  readonly index: number;
  readonly group_index: number | null;
  readonly tokens: readonly number[];
  readonly response_length: number;
  readonly loss_mask: readonly number[];
  readonly rollout_log_probs: readonly number[];
  readonly weight_versions: readonly string[];
  readonly reward: number;
  readonly status: string;
  readonly remove_sample: boolean;
  readonly prefix_cache_info: {
    readonly cached_tokens: number;
    readonly total_prompt_tokens: number;
  };
  readonly metadata: {
    readonly split: string;
    readonly env: string;
    // deno-lint-ignore no-explicit-any -- tests read arbitrary fields
    readonly taulab?: any;
  };
}

/** The result of a rollout, as rollout.py prints it. */
export interface RolloutEvent {
  readonly event: "rollout";
  readonly seconds: number;
  readonly abort_seconds: number;
  readonly kept: readonly (readonly SlimeSample[])[];
  readonly dropped: readonly (readonly SlimeSample[])[];
  readonly aborted: readonly (readonly SlimeSample[])[];
  readonly raw: readonly number[];
  readonly normalized: readonly number[];
}

/** A line of rollout.py's output, parsed as JSON. */
export type BridgeEvent =
  | { readonly event: "begin"; readonly rollout: number }
  | RolloutEvent
  | {
    readonly event: "eval";
    readonly name: string;
    readonly rewards: readonly number[];
    readonly samples: readonly SlimeSample[];
  }
  | { readonly event: "end"; readonly longest_gap: number };

/** Runs rollouts and evaluations with rollout.py, and calls `onEvent` for each line of its output. */
export async function runRollouts(
  input: {
    readonly args: Record<string, unknown>;
    readonly rollouts: number;
    readonly evals?: Record<string, string>;
  },
  onEvent: (event: BridgeEvent) => void = () => {},
): Promise<BridgeEvent[]> {
  const child = new Deno.Command(testPython()!, {
    args: ["-B", pathOf("test/support/slime/rollout.py")],
    env: {
      PYTHONPATH: `${pathOf("train/slime")}:${pathOf("test/support/slime")}`,
      PYTHONUNBUFFERED: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const events: BridgeEvent[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as BridgeEvent;
      events.push(event);
      onEvent(event);
    }
  }
  const { code } = await child.status;
  assert.equal(code, 0, await errors);
  await errors;
  return events;
}

/** Checks the invariants of a sample that slime receives. */
export function checkSample(sample: SlimeSample): void {
  const { tokens, response_length, loss_mask, rollout_log_probs } = sample;
  assert.ok(response_length >= 1 && response_length < tokens.length);
  assert.equal(loss_mask.length, response_length);
  assert.equal(rollout_log_probs.length, response_length);
  loss_mask.forEach((mask, at) => {
    assert.ok(
      mask === 1 ? rollout_log_probs[at]! < 0 : rollout_log_probs[at] === 0,
    );
  });
  if (sample.remove_sample) assert.ok(!loss_mask.includes(1));
  else assert.ok(["completed", "truncated"].includes(sample.status));
}

/** Returns the number of the task in a sample. */
export function taskNumber({ prompt }: SlimeSample): number {
  return Number(prompt[0]!.content);
}
