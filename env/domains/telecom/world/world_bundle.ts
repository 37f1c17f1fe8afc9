/**
 * Converts a composed world to a bundle of files in τ³-bench's layout. The texts were written for this project. The
 * code that reads the benchmark's files can also read the bundle.
 */

import type { ComposedBundle, ComposeStart } from "../../../domain.ts";
import {
  fromPlain,
  type JsonValue,
  printPythonJson,
} from "../../../python/python_json.ts";
import { object } from "../../shared/call.ts";
import policy from "../policy.md" with { type: "text" };
import { type ComposedTask, composeTelecom } from "./compose_tasks.ts";
import { telecomOptionsSchema } from "./options.ts";
import { telecomAgentTools, telecomUserTools } from "./tool_schemas.ts";
import { telecomGuidelines, telecomPrompts } from "./world_prompts.ts";

/**
 * Composes a world, and returns it as a bundle.
 * @throws {ConfigError} If no task that fits the options could be drawn.
 */
export function telecomBundle(
  { seed, count, options }: ComposeStart,
): ComposedBundle {
  const knobs = telecomOptionsSchema.parse(options);
  const { minFaults, maxFaults, hopelessShare } = knobs;
  const { agent, tasks } = composeTelecom({
    ...knobs,
    seed,
    count,
    faults: [minFaults, Math.max(minFaults, maxFaults)],
    hopeless: hopelessShare,
  });
  const splits = Map.groupBy(tasks, ({ split }) => split);
  const ids = (of: readonly ComposedTask[]): JsonValue =>
    of.map(({ task }) => task.get("id") ?? null);
  const at = "data/tau2/domains/telecom";
  return {
    counts: Object.fromEntries(
      [...splits].map(([name, of]) => [name, of.length]),
    ),
    files: [
      json(`${at}/db.json`, agent),
      json(`${at}/user_db.json`, new Map()),
      { path: `${at}/policy.md`, text: policy },
      json(`${at}/tasks.json`, tasks.map(({ task }) => task)),
      json(
        `${at}/split_tasks.json`,
        object(Object.fromEntries(
          [...splits, ["base", tasks] as const].map(([name, of]) => [
            name,
            ids(of),
          ]),
        )),
      ),
      ...Object.entries(telecomGuidelines).map(([name, text]) => ({
        path: `data/tau2/user_simulator/${name}`,
        text,
      })),
      json("prompts.json", fromPlain(telecomPrompts)),
      json("tools/telecom_agent.json", fromPlain(telecomAgentTools)),
      json("tools/telecom_user.json", fromPlain(telecomUserTools)),
    ],
  };
}

function json(path: string, value: JsonValue) {
  return { path, text: `${printPythonJson(value)}\n` };
}
