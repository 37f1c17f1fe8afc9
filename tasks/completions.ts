/** `deno task completions SHELL`: prints a shell script that completes tasks, flags and values. */

import { z } from "zod";
import project from "../deno.json" with { type: "json" };
import { ConfigError } from "../env/errors.ts";
import {
  flagViews,
  main,
  type TaskContext,
  type TaskDefinition,
  type TaskResult,
} from "./_cli.ts";
import {
  type CompletableTask,
  completionScript,
  type Shell,
  SHELLS,
} from "./_completion_scripts.ts";
import { recipeNames } from "./_recipes.ts";

const flags = z.object({});

async function run(
  _: z.infer<typeof flags>,
  { operands, terminal }: TaskContext,
): Promise<TaskResult> {
  const [shell, ...more] = operands;
  if (!SHELLS.includes(shell as Shell) || more.length > 0) {
    throw new ConfigError(
      shell === undefined
        ? "No shell was given"
        : `There is no completion script for "${operands.join(" ")}"`,
      { hint: `pass one of ${SHELLS.join(", ")}` },
    );
  }
  const script = completionScript(shell as Shell, {
    tasks: await completedTasks(),
    recipes: await recipeNames(),
  });
  terminal.print(script.trimEnd());
  return { json: { shell, script } };
}

/** Returns the tasks in deno.json. A task that is a module in `tasks/`, except `build:wasm`, includes its flags. */
async function completedTasks(): Promise<CompletableTask[]> {
  return await Promise.all(
    Object.entries(project.tasks).map(([name, { command, description }]) =>
      completedTask(name, { command, description })
    ),
  );
}

async function completedTask(
  name: string,
  { command, description }: { command: string; description: string },
): Promise<CompletableTask> {
  const file = / tasks\/(\w+\.ts)$/.exec(command)?.[1];
  const bare = { name, summary: description, flags: [], operands: null };
  if (file === undefined || name === "build:wasm") return bare;
  const { operands, ...definition }: TaskDefinition<z.ZodObject> =
    name === OWN.name
      ? OWN
      : (await import(new URL(file, import.meta.url).href)).task;
  return {
    ...bare,
    flags: flagViews(definition.flags),
    operands: operands === undefined ? null : {
      value: operands.name,
      choices: operands.name === SHELL ? SHELLS : [],
      isPath: operands.isPath ?? (() => false),
    },
  };
}

const SHELL = "SHELL";

/** The definition of this task, which cannot import itself as it imports the other tasks. */
const OWN: TaskDefinition<typeof flags> = {
  name: "completions",
  summary: "Print a shell completion script for tasks, flags and values",
  flags,
  operands: { name: SHELL, description: SHELLS.join(" | ") },
  examples: [
    {
      command: "deno task -q completions bash",
      does: "load it with: source <(deno task -q completions bash)",
    },
    {
      command: "deno task -q completions fish",
      does: "load it with: deno task -q completions fish | source",
    },
  ],
  run,
};

export const task = await main(import.meta, OWN);
