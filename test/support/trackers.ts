/**
 * Runs trackers and log viewers from PyPI, and creates runs to show in them. `.ci/test-python` installs each tool in
 * its own directory alongside the tests' Python, because their dependencies conflict.
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

/** The name of a tool, which is also the name of its directory. */
export type Tool = "tensorboard" | "mlflow" | "wandb" | "trackio" | "inspect";

/** Returns the directory of a tool's packages; `undefined` if the tests' Python is not installed. */
export function toolPackages(tool: Tool): string | undefined {
  const python = testPython();
  return python === undefined
    ? undefined
    : join(dirname(dirname(python)), tool);
}

/** Returns the value of `ignore` for a test that needs a tool: whether the tool is not installed. */
export function without(tool: Tool): boolean {
  const packages = toolPackages(tool);
  return packages === undefined || !existsSync(packages);
}

/** Options for the Python process of a tool. */
export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Opens a pipe to the process's standard input. By default, the process has no standard input. */
  readonly stdin?: "piped";
}

/** Returns a command that runs Python with the packages of a tool. */
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
 * Runs a Python script in this folder with the packages of a tool.
 * @returns The parsed JSON on the last line that the script printed.
 * @throws {Error} If the script fails. The message contains its stderr.
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

/** Returns a port on which nothing listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The recipe of a run that takes a few seconds. */
export const TINY = `
  threads: 1
  model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16, contextLength: 2048 }
  coldStart: { steps: 2, batchSize: 4 }
  rl: { steps: 2, tasksPerStep: 2, groupSize: 2 }
  eval: { every: 0, testTrials: 1 }
  rollout: { maxTokensPerTurn: 16, maxTurns: 4 }
  data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 2 } }
`;

/** Trains a few steps with the given trackers. */
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

/** Resumes a run as `--resume` does. If the run has completed, it is only sent to its trackers. */
export async function resumed(path: string): Promise<SessionResult> {
  await using run = await TrainingDir.resume(path);
  const dataset = await openDataset(run.config.data);
  return await runSession({ run, dataset });
}
