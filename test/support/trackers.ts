/**
 * Trackers and log viewers of PyPI, each in a directory of its own beside the tests' Python, where `.ci/test-python` puts
 * it: they want versions that differ. And runs to show in them.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDataset } from "../../train/config/open_dataset.ts";
import { resolveConfig } from "../../train/config/config.ts";
import {
  runSession,
  type SessionResult,
  startRun,
} from "../../train/session.ts";
import type { TrackingConfig } from "../../train/tracking/tracking_schema.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import { testPython } from "./python.ts";

/** The tools by their directories. */
export type Tool = "tensorboard" | "mlflow" | "wandb" | "trackio" | "inspect";

/** Where a tool's packages are; `undefined` without the tests' Python. */
export function toolPackages(tool: Tool): string | undefined {
  const python = testPython();
  return python === undefined
    ? undefined
    : join(dirname(dirname(python)), tool);
}

/** `ignore` of a test that needs the tool. */
export function without(tool: Tool): boolean {
  const packages = toolPackages(tool);
  return packages === undefined || !existsSync(packages);
}

/** Settings of a tool's Python. */
export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: `null`. */
  readonly stdin?: "piped";
}

/** A command of a tool's Python. */
export function toolCommand(
  tool: Tool,
  args: readonly string[],
  { env = {}, cwd, stdin }: ToolOptions = {},
): Deno.Command {
  return new Deno.Command(testPython() ?? "python3", {
    args: ["-B", ...args],
    env: { PYTHONPATH: toolPackages(tool) ?? "", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * Asks a script of this folder.
 * @returns The JSON that it printed.
 * @throws {Error} If it fails, with what it said.
 */
export async function askTool(
  tool: Tool,
  [script = "", ...args]: readonly string[],
  options: ToolOptions = {},
): Promise<unknown> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const output = await toolCommand(tool, [path, ...args], options).output();
  const [said, complaint] = [output.stdout, output.stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  if (!output.success) throw new Error(`${complaint}\n${said}`);
  return JSON.parse(said!.trim().split("\n").at(-1)!);
}

/** A port that was free a moment ago, and that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The recipe of a run that takes seconds. */
const TINY = `
  threads: 1
  model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16, contextLength: 2048 }
  coldStart: { steps: 2, batchSize: 4 }
  rl: { steps: 2, tasksPerStep: 2, groupSize: 2 }
  eval: { every: 0, testTrials: 1 }
  rollout: { maxTokensPerTurn: 16, maxTurns: 4 }
  data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 2 } }
`;

/** Trains for some steps with these trackers. */
export async function trackedRun(
  path: string,
  tracking: Partial<TrackingConfig>,
): Promise<SessionResult> {
  const overrides = Object.entries(tracking).map(([key, value]) => ({
    path: ["tracking", key],
    value,
    origin: "the test",
  }));
  const config = resolveConfig({ name: "tiny", text: TINY }, overrides);
  const dataset = await openDataset(config.data);
  await using run = await startRun(path, { config, dataset });
  return await runSession({ run, dataset });
}

/** Resumes a run, as `--resume` does: one that is completed is sent to trackers alone. */
export async function resumed(path: string): Promise<SessionResult> {
  await using run = await TrainingDir.resume(path);
  const dataset = await openDataset(run.config.data);
  return await runSession({ run, dataset });
}
