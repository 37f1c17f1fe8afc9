/**
 * Runs tasks as separate processes with their commands in deno.json, so that they have exactly the permissions listed
 * there.
 */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Options for the process of a task. */
export interface TaskOptions {
  /** Environment variables to add. By default, the environment names neither data nor endpoints. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns the command that runs a task. */
export function taskCommand(
  name: keyof typeof project.tasks,
  args: readonly string[],
  { env = {} }: TaskOptions = {},
): Deno.Command {
  const words = project.tasks[name].command.split(" ").slice(1);
  return new Deno.Command(Deno.execPath(), {
    args: [...words, ...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
    env: {
      NO_COLOR: "1",
      TAU_BENCH_DIR: "",
      TAU3_BENCH_DIR: "",
      TAULAB_RUNS: "",
      INIT_CWD: "",
      OPENAI_BASE_URL: "",
      OPENAI_API_BASE: "",
      OPENAI_API_KEY: "",
      ...env,
    },
  });
}

/** Matches the error output of a task: a line with the error, and optionally a line with a hint. */
export const ERROR_AND_HINT = /^error: .+\n(hint: .+\n)?$/;

/** The exit status and the output of a task's process. */
export interface TaskOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task as a separate process to its end. */
export async function runTask(
  name: keyof typeof project.tasks,
  args: readonly string[],
  options: TaskOptions = {},
): Promise<TaskOutput> {
  const { code, stdout, stderr } = await taskCommand(name, args, options)
    .output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
