/**
 * Creates result files as τ-bench would write them for conversations in a small generated world. The world is stored on
 * disk in τ-bench's layout.
 */

import { join } from "node:path";
import { createEnvironment } from "../../env/environment.ts";
import { generated } from "../../env/generated/generated.ts";
import { worldFiles } from "../../env/generated/world_files.ts";
import { goldOf } from "../../env/gold.ts";
import {
  fromPlain,
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { toFloat } from "../../env/python/python_number.ts";
import { tauBenchRewardInfo } from "../../env/reward.ts";
import type { Action, Dataset, Observation, Task } from "../../env/types.ts";

/** The form of an agent's calls in a record: tool calls, or text after `Action:`. */
export type Style = "calls" | "text";

/** A small world, and the directory where it is stored. */
export interface ResultWorld {
  readonly dataset: Dataset;
  readonly dir: string;
}

/** Writes a small generated world below `dir`. */
export async function writeResultWorld(dir: string): Promise<ResultWorld> {
  const dataset = await generated(1, {
    refusedShare: 0,
    trainTasks: 2,
    devTasks: 2,
    testTasks: 8,
  });
  const root = join(dir, "world");
  for (const { path, text } of worldFiles(dataset)) {
    const file = join(root, path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return { dataset, dir: root };
}

/**
 * Returns the record of an episode in which the agent makes the gold calls of `task`, or no calls if `isRight` is
 * `false`, and then tells the user the required outputs.
 */
export async function resultRecord(
  dataset: Dataset,
  task: Task,
  { isRight = true, style = "calls", trial = 0 }: {
    readonly isRight?: boolean;
    readonly style?: Style;
    readonly trial?: number;
  } = {},
): Promise<JsonObject> {
  const replies = ["I see.", "###STOP###"];
  const user = {
    open: () => Promise.resolve("Good day."),
    reply: () => Promise.resolve(replies.shift() ?? "###STOP###"),
  };
  const environment = createEnvironment({ dataset, task, user });
  const opening = await environment.open();
  const said: JsonObject[] = [
    message({ role: "system", content: dataset.policy }),
    message({ role: "user", content: opening }),
  ];
  const actions: Action[] = [
    { type: "respond", content: "How can I help?" },
    ...(isRight ? task.actions : []).map((call, i): Action => ({
      type: "tool",
      call: { ...call, id: `call_${i}` },
    })),
    { type: "respond", content: `Done: ${task.outputs.join(" ")}` },
  ];
  for (const action of actions) {
    const observation = await environment.step(action);
    said.push(
      ...(style === "calls" ? asCalls : asText)(action, observation),
    );
    if (observation.done) break;
  }
  const reward = environment.reward();
  const gold = goldOf(dataset, task);
  const goldActions = task.actions.map(({ name, arguments: kwargs }) =>
    object({ name, kwargs })
  );
  return object({
    task_id: task.index,
    reward: toFloat(reward.value),
    info: object({
      task: object({
        user_id: task.userId,
        actions: goldActions,
        instruction: task.instruction,
        outputs: [...task.outputs],
      }),
      source: "user",
      user_cost: toFloat(0.5),
      reward_info: object({
        reward: toFloat(reward.value),
        info: fromPlain(tauBenchRewardInfo({ gold, task }, reward)),
        actions: goldActions,
      }),
    }),
    traj: said,
    trial,
  });
}

/** Returns the record that τ-bench writes for an exception. */
export function failedRecord(task: number): JsonObject {
  return object({
    task_id: task,
    reward: toFloat(0),
    info: object({
      error: "litellm.RateLimitError: too many requests",
      traceback:
        'Traceback (most recent call last):\n  File "/x/tau_bench/envs/user.py", line 1\nlitellm.RateLimitError: too many requests\n',
    }),
    traj: [],
    trial: 0,
  });
}

/** Returns the text of a result file with the given records. */
export function resultText(records: readonly JsonValue[]): string {
  return printPythonJson([...records]);
}

function asCalls(action: Action, { content }: Observation): JsonObject[] {
  if (action.type === "respond") {
    return [
      message({ role: "assistant", content: action.content }),
      message({ role: "user", content }),
    ];
  }
  const { id, name, arguments: args } = action.call;
  const text = printPythonJson(args);
  return [
    message({
      role: "assistant",
      content: null,
      tool_calls: [object({
        id,
        type: "function",
        function: object({ name, arguments: text }),
      })],
    }),
    message({ role: "tool", tool_call_id: id, name, content }),
  ];
}

function asText(action: Action, { content }: Observation): JsonObject[] {
  const [name, args] = action.type === "respond"
    ? ["respond", object({ content: action.content })] as const
    : [action.call.name, action.call.arguments] as const;
  const json = printPythonJson(object({ name, arguments: args }));
  return [
    message({
      role: "assistant",
      content: `Thought:\nOne step on.\nAction:\n${json}`,
    }),
    message({
      role: "user",
      content: name === "respond" ? content : `API output: ${content}`,
    }),
  ];
}

function message(members: Record<string, JsonValue>): JsonObject {
  return object(members);
}

function object(members: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(members));
}
