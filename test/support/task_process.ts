/** Runs tasks as separate processes with the command in deno.json, so that they have exactly its permissions. */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Options of a task's process. */
export interface TaskOptions {
  /** Environment variables to add. Without them, the environment names neither data nor endpoints. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns the command of a task. */
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
      TAULAB_RUNS: "",
      INIT_CWD: "",
      OPENAI_BASE_URL: "",
      OPENAI_API_BASE: "",
      OPENAI_API_KEY: "",
      ...env,
    },
  });
}

/** The format of a task's error: a line with the error, and optionally a line with a hint. */
export const ERROR_AND_HINT = /^error: .+\n(hint: .+\n)?$/;

/** The result of a task's process. */
export interface TaskOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task to its end. */
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
