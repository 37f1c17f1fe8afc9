/**
 * Provides fixtures for tests of the doctor's checks: hosts with scripted answers, recipes, model directories and
 * evaluations.
 */

import { join } from "node:path";
import { stringify } from "yaml";
import type { CheckContext } from "../../train/slime/doctor/check.ts";
import { Facts } from "../../train/slime/doctor/check_facts.ts";
import { EvaluationDir } from "../../train/evaluation/evaluation_dir.ts";
import { evaluationSchema } from "../../train/evaluation/evaluation_config.ts";
import { localShell } from "../../train/slime/hosts/local_shell.ts";
import type { Shell, ShellOutput } from "../../train/slime/hosts/shell.ts";
import { parseSet, resolveBy } from "../../train/config/config.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";
import {
  type ResolvedSlime,
  resolveSlime,
} from "../../train/slime/slime_config.ts";
import {
  HEAD_DIM,
  MODEL_SHAPES,
  type ModelName,
  parameterCount,
  VOCAB_SIZE,
} from "../../train/slime/model_shapes.ts";
import { fakeEpisode, fakeTask } from "./lab.ts";
import { QWEN3_DIR } from "./qwen3.ts";

/** The scripted output of a command. A string is the command's stdout. */
export type Answer = string | Partial<ShellOutput>;

/**
 * Creates a host that answers a command with the first of `answers` whose key is part of the command or of its stdin.
 * All other commands fail as not found.
 */
export function toldShell(
  answers: Readonly<Record<string, Answer>>,
  name = "gpu1",
): Shell {
  return {
    name,
    describe: ({ script }) => `ssh ${name} '${script}'`,
    run({ script, stdin = "" }, { signal } = {}) {
      signal?.throwIfAborted();
      const found = Object.entries(answers).find(([word]) =>
        script.includes(word) || stdin.includes(word)
      );
      const [, answer] = found ??
        ["", { code: 127, stderr: `sh: ${script.slice(0, 20)}: not found` }];
      const given = typeof answer === "string" ? { stdout: answer } : answer;
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...given });
    },
  };
}

/** Creates a shell on this machine with `bin` first on its PATH. */
export function shellWith(bin: string): Shell {
  const shell = localShell();
  const PATH = `${bin}:${Deno.env.get("PATH")}`;
  return {
    ...shell,
    run: (command, options) =>
      shell.run({ ...command, env: { PATH, ...command.env } }, options),
  };
}

/** Writes an executable shell script. */
export async function writeProgram(
  bin: string,
  name: string,
  script: string,
): Promise<void> {
  await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, {
    mode: 0o755,
  });
}

/** Creates a slime recipe for a small generated world with scripted users. */
export function slimeOf(
  sets: readonly string[] = [],
  sections: Readonly<Record<string, unknown>> = {},
): ResolvedSlime {
  const text = stringify({
    trainer: "slime",
    data: {
      source: "generated",
      generated: { trainTasks: 40, devTasks: 4, testTasks: 4 },
    },
    user: { strategy: "scripted" },
    ...sections,
  });
  return resolveSlime({ name: "test", text }, sets.map(parseSet));
}

/** Creates the context in which checks run, for a recipe and hosts. Everything else has an empty default. */
export function checkContext(
  slime: ResolvedSlime,
  { hosts = [toldShell({})], ...more }: Partial<CheckContext> = {},
): CheckContext {
  const signal = new AbortController().signal;
  return {
    ...slime,
    hosts,
    places: [],
    servers: [],
    facts: new Facts({ config: slime.config, head: hosts[0], signal }),
    reach: (base) => base,
    env: () => undefined,
    runs: "no/such/runs",
    baseRun: null,
    rowFiles: [],
    hooks: {},
    signal,
    ...more,
  };
}

/** The rows of two idle H100 GPUs in the format of `nvidia-smi --query-gpu`. */
export const IDLE_GPUS = gpuRows(2);

/** Returns rows in the format of `nvidia-smi --query-gpu`. */
export function gpuRows(
  count: number,
  { used = 4, name = "NVIDIA H100 80GB HBM3", capability = "9.0" } = {},
): string {
  return Array.from(
    { length: count },
    (_, i) =>
      `${i}, GPU-${i}, ${name}, 81559, ${used}, 575.57.08, ${capability}\n`,
  ).join("");
}

/** Returns the output of `nvidia-smi topo -m` for GPUs connected by `link`. */
export function topology(count: number, link: string): string {
  const names = Array.from({ length: count }, (_, i) => `GPU${i}`);
  const rows = names.map((name, a) =>
    [name, ...names.map((_, b) => a === b ? " X " : link), "0-63", "0", "N/A"]
      .join("\t")
  );
  return [
    `\x1b[4m\t${names.join("\t")}\tCPU Affinity\tNUMA Affinity\x1b[0m`,
    ...rows,
    "",
    "Legend:",
    "",
    "  X    = Self",
    "  NV#  = Connection traversing a bonded set of # NVLinks",
  ].join("\n");
}

/** Returns the JSON report, with the given changes, on the Python of a host that has everything that slime needs. */
export function pythonFacts(
  more: Readonly<Record<string, unknown>> = {},
  packages: Readonly<Record<string, string | null>> = {},
): string {
  return JSON.stringify({
    python: "3.12.3",
    packages: {
      ray: "2.49.2",
      torch: "2.9.1",
      transformers: "4.57.1",
      sglang: "0.5.15",
      "sglang-router": "0.3.2",
      httpx: "0.28.1",
      "torch-memory-saver": "0.0.9",
      ...packages,
    },
    cuda: "12.9",
    commit: "624b824a898ab0ec1fcb4d373004c7f3852bf515",
    parts: [
      "train.py",
      "train_async.py",
      "slime/backends/megatron_utils/hf_to_megatron",
    ],
    megatron: true,
    ...more,
  });
}

/** Returns the `config.json` of a model on Hugging Face. */
export function hfConfig(name: ModelName): Record<string, unknown> {
  const shape = MODEL_SHAPES[name];
  return {
    model_type: "qwen3",
    head_dim: HEAD_DIM,
    hidden_size: shape.hidden,
    intermediate_size: shape.ffn,
    max_position_embeddings: 40_960,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.kvGroups,
    rms_norm_eps: 1e-6,
    rope_theta: shape.ropeBase,
    tie_word_embeddings: shape.tied,
    vocab_size: VOCAB_SIZE,
  };
}

/**
 * Writes shard files with the total size of a model's real ones, and their index. The files are sparse, so they take up
 * almost no disk space.
 */
export async function writeShards(
  dir: string,
  { name, shards }: { readonly name: ModelName; readonly shards: number },
): Promise<void> {
  const total = parameterCount(MODEL_SHAPES[name]);
  const each = Math.floor(total / shards);
  const map: Record<string, string> = {};
  for (let i = 0; i < shards; i++) {
    const count = i === shards - 1 ? total - each * (shards - 1) : each;
    const file = `model-0000${i + 1}-of-0000${shards}.safetensors`;
    await writeShard(join(dir, file), { [`tensor.${i}`]: [count] });
    map[`tensor.${i}`] = file;
  }
  await Deno.writeTextFile(
    join(dir, "model.safetensors.index.json"),
    JSON.stringify({ metadata: {}, weight_map: map }),
  );
}

/** Writes a safetensors file of bfloat16 tensors with the given shapes. */
export async function writeShard(
  path: string,
  tensors: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => {
      const begin = at;
      at += 2 * shape.reduce((a, b) => a * b, 1);
      return [name, { dtype: "BF16", shape, data_offsets: [begin, at] }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);
  await Deno.writeFile(path, head);
  await Deno.truncate(path, head.length + at);
}

/** Writes a complete model directory with Qwen3's real tokenizer. */
export async function writeModel(
  dir: string,
  name: ModelName = "Qwen3-0.6B",
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(QWEN3_DIR, file), join(dir, file));
  }
  const write = (file: string, value: unknown) =>
    Deno.writeTextFile(join(dir, file), JSON.stringify(value));
  await write("config.json", hfConfig(name));
  await write("generation_config.json", { eos_token_id: [151_645, 151_643] });
  await writeShards(dir, { name, shards: 2 });
}

/**
 * Writes an evaluation of a model on fake tasks. It has `scored` episodes, of which the first `solved` have reward 1
 * and the others 0, and an additional episode with an infrastructure failure.
 */
export async function writeEvaluation(
  path: string,
  { model = "Qwen3-0.6B", solved, scored, startedAt = "2026-01-01T00:00:00Z" }:
    {
      readonly model?: string;
      readonly solved: number;
      readonly scored: number;
      readonly startedAt?: string;
    },
): Promise<void> {
  const text = stringify({ split: "train", model: { model: `Qwen/${model}` } });
  const config = resolveBy(evaluationSchema, { name: "test", text });
  const info = await newRunInfo({
    kind: "evaluate",
    seed: 1,
    dataset: { name: "generated", fingerprint: "f" },
    now: new Date(startedAt),
  });
  await using dir = await EvaluationDir.create(path, { config, info });
  for (let i = 0; i < scored; i++) {
    const task = fakeTask("train", i);
    const value = i < solved ? 1 : 0;
    dir.add({ episode: fakeEpisode({ task, seed: i, value }), task: i }, i);
  }
  // An infrastructure failure counts neither as solved nor as failed.
  dir.add({ episode: fakeEpisode({ value: null }), task: 0 }, 0);
}

/** Starts a server on loopback with an answer for each path. Other paths return 404. */
export function pathServer(
  answers: Readonly<Record<string, unknown>>,
): AsyncDisposable & { readonly url: string; readonly asked: string[] } {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const answer = answers[pathname];
      if (answer instanceof Response) return answer.clone();
      if (typeof answer === "function") return await answer(request);
      return answer === undefined
        ? new Response("no such page", { status: 404 })
        : Response.json(answer);
    },
  );
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
