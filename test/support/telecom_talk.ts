/**
 * Runs conversations between telecom's expert and its scripted user, under the benchmark's rules, and computes the
 * benchmark's reward.
 */

import { Desk, type Script } from "../../env/agents/desk.ts";
import { evaluateSimulation } from "../../env/benchmarks/tau3/evaluators/evaluate_simulation.ts";
import { Orchestrator } from "../../env/benchmarks/tau3/orchestrator.ts";
import {
  readTau3Prompts,
  scenarioText,
  type Tau3Prompts,
} from "../../env/benchmarks/tau3/tau3_prompts.ts";
import type { Tau3Message } from "../../env/benchmarks/tau3/tau3_message.ts";
import type { Tau3Task } from "../../env/benchmarks/tau3/tau3_task.ts";
import type { WorldSource } from "../../env/benchmarks/tau3/tau3_world.ts";
import { telecom } from "../../env/domains/telecom/domain.ts";
import { TAU3_BENCH } from "./tau3_bench.ts";
import { telecomDatabases } from "./telecom_world.ts";

/** The initial state of the benchmark's telecom domain, and the prompts for its users. */
export interface TalkSource extends WorldSource {
  readonly prompts: Tau3Prompts;
}

/** Reads the initial state and the prompts from the benchmark's data. */
export async function telecomSource(): Promise<TalkSource> {
  return {
    domain: telecom,
    part: telecom.bundle,
    databases: telecomDatabases(),
    prompts: await readTau3Prompts(TAU3_BENCH),
  };
}

/** Options for {@linkcode talkAbout}. */
export interface TalkOptions {
  readonly source: TalkSource;
  readonly seed?: number;
  /** Returns the script of the agent. Default: the expert's script. */
  readonly agent?: (start: { readonly desk: Desk }) => Script;
}

/** Runs a conversation between an agent and the scripted user of a task, until the benchmark's rules end it. */
export function talkAbout(
  task: Tau3Task,
  { source, seed = 1, agent = (start) => telecom.expert(start) }: TalkOptions,
): Orchestrator {
  const talk = new Orchestrator({ source, task });
  const user = telecom.bundle.scriptedUser({
    task: {
      id: task.id,
      instruction: scenarioText(source.prompts, task.scenario),
    },
    seed,
  });
  const scripts: { user: Script; assistant?: Script } = { user };
  for (let next = talk.next; !("ended" in next); next = talk.next) {
    const { speaker } = next;
    const heard = talk.messages.at(-1)!;
    const script = scripts[speaker] ??= agent({
      desk: new Desk(heard.content ?? ""),
    });
    const { value: move } = script.next({
      source: heard.role === "tool" ? "tool" : "user",
      content: heard.content ?? "",
      done: false,
    });
    if (move === undefined) break;
    const id = `call_${talk.messages.length}`;
    talk.reply(
      move.type === "say"
        ? { content: move.content }
        : { content: null, toolCalls: [{ id, ...move.action }] },
    );
  }
  return talk;
}

/** Returns the reward that the benchmark gives to a conversation. */
export async function rewardOf(
  task: Tau3Task,
  { talk, source }: {
    readonly talk: Orchestrator;
    readonly source: WorldSource;
  },
): Promise<number | null> {
  const { messages, next } = talk;
  const terminationReason = "ended" in next ? next.ended : "max_steps";
  const { value } = await evaluateSimulation({
    source,
    task,
    messages,
    terminationReason,
  });
  return value;
}

/** Formats messages and calls, one per line. */
export function linesOf(messages: readonly Tau3Message[]): string[] {
  return messages.flatMap((message) =>
    message.role === "tool"
      ? [`-> ${message.content}`]
      : message.toolCalls?.map((call) =>
        `${message.role} calls ${call.name} ${
          JSON.stringify([...call.arguments])
        }`
      ) ?? [`${message.role}: ${message.content}`]
  );
}
