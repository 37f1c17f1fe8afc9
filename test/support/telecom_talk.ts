/** A conversation of telecom's expert with its scripted user, by the rules of who speaks when. */

import { Desk, type Script } from "../../env/agents/desk.ts";
import type { Databases, Side } from "../../env/domain.ts";
import { serveTelecom } from "../../env/domains/telecom/expert/serve_telecom.ts";
import { phoneUser } from "../../env/domains/telecom/user/phone_user.ts";
import type { JsonObject } from "../../env/python/python_json.ts";
import type { Observation, ToolAction } from "../../env/types.ts";
import { at, objectsAt, TelecomWorld } from "./telecom_world.ts";

/** A conversation, and what came of it. */
export interface Talk {
  readonly lines: readonly string[];
  readonly calls: readonly (ToolAction & { readonly side: Side })[];
  /** As the orchestrator counts: a message that is delivered, each. */
  readonly steps: number;
  readonly ended: "stop" | "transfer" | "too long";
  readonly world: TelecomWorld;
}

/** The scenario of a task as its user is told of it. */
export function instructionOf(task: JsonObject): string {
  const part = (name: string) =>
    at(task, "user_scenario", "instructions", name);
  return [
    `Reason for call:\n\t${part("reason_for_call")}`,
    `Known info:\n\t${part("known_info")}`,
    `Task instructions:\n\t${part("task_instructions")}`,
  ].join("\n");
}

/** Lets the two talk about a task of the benchmark. */
export function talkAbout(
  task: JsonObject,
  base: Databases,
  { seed = 1, agent = serveTelecom }: TalkOptions = {},
): Talk {
  const world = new TelecomWorld(base).setUp(
    objectsAt(task, "initial_state", "initialization_actions"),
  );
  const id = String(task.get("id"));
  const user = phoneUser({
    task: { id, instruction: instructionOf(task) },
    seed,
  });
  return talk(world, user, agent);
}

/** Settings of {@linkcode talkAbout}. */
export interface TalkOptions {
  readonly seed?: number;
  readonly agent?: (start: { readonly desk: Desk }) => Script;
}

function talk(
  world: TelecomWorld,
  user: Script,
  serve: NonNullable<TalkOptions["agent"]>,
): Talk {
  const lines: string[] = [];
  const calls: (ToolAction & { side: Side })[] = [];
  let steps = 1;
  const speak = (script: Script, side: Side, heard?: Observation) => {
    let observation = heard;
    while (true) {
      const { value: move } = script.next(observation as Observation);
      if (move === undefined) return undefined;
      steps++;
      if (move.type === "say") {
        lines.push(`${side}: ${move.content}`);
        return move.content;
      }
      steps++;
      calls.push({ ...move.action, side });
      const { name, arguments: args } = move.action;
      const { content } = world.call(side, name, args);
      lines.push(`${side} ${name} ${[...args.values()]} -> ${content}`);
      observation = { source: "tool", content, done: false };
    }
  };
  const hears = (content: string): Observation => ({
    source: "user",
    content,
    done: false,
  });
  let said = speak(user, "user") ?? "";
  const desk = new Desk(said);
  const agent = serve({ desk });
  let isFirst = true;
  while (steps < 200) {
    const reply = speak(agent, "agent", isFirst ? undefined : hears(said));
    isFirst = false;
    if (reply === undefined) break;
    said = speak(user, "user", hears(reply)) ?? "";
    if (!said.includes("###")) continue;
    const ended = said.includes("###STOP###") ? "stop" : "transfer";
    return { lines, calls, steps, ended, world };
  }
  return { lines, calls, steps, ended: "too long", world };
}

/** What a task asks for and the conversation has not brought about; empty where its reward is 1. */
export function missingIn(task: JsonObject, talk: Talk): string[] {
  const criteria = task.get("evaluation_criteria")!;
  const basis = at(criteria, "reward_basis");
  const missing = objectsAt(criteria, "env_assertions")
    .filter((one) => talk.world.run(one) !== one.get("assert_value"))
    .map((one) => String(one.get("func_name")));
  const needsActions = Array.isArray(basis) && basis.includes("ACTION");
  const actions = needsActions
    ? objectsAt(criteria, "actions").map((one) => String(one.get("name")))
    : [];
  const missed = actions.filter((name) =>
    !talk.calls.some((call) => call.name === name)
  );
  return [
    ...missing,
    ...missed,
    ...(talk.ended === "too long" ? ["an end"] : []),
  ];
}
