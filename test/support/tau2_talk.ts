/** Runs scripted conversations in the Python original of τ³-bench and in taulab. */

import { toolCallingAgent } from "../../env/agents/tool_calling.ts";
import { createEnvironment } from "../../env/environment.ts";
import type { Tau3Environment } from "../../env/benchmarks/tau3/tau3_environment.ts";
import { messageObject } from "../../env/benchmarks/tau3/tau3_message.ts";
import { upstreamId } from "../../env/benchmarks/tau3/tau3_bench.ts";
import {
  fromPlain,
  type JsonObject,
  toPlain,
} from "../../env/python/python_value.ts";
import type { ChatModel, ChatOptions, Dataset } from "../../env/types.ts";
import { absentUser } from "../../env/users/absent.ts";
import { llmUser } from "../../env/users/llm.ts";
import { askPython } from "./ask_python.ts";
import { answeringModel } from "./chat_models.ts";

/** A reply of a model in a scripted conversation. */
export interface ScriptedReply {
  readonly content?: string | null;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: Readonly<Record<string, unknown>>;
  }[];
}

/** A conversation in which the models of the agent and the user reply from scripts. */
export interface ScriptedTalk {
  readonly domain: string;
  readonly task_id: string;
  /** The kind of the agent's policy. Default: `manual`. */
  readonly policy?: "manual" | "workflow";
  readonly solo?: boolean;
  readonly agent: readonly ScriptedReply[];
  readonly user?: readonly ScriptedReply[];
}

/** The record that the Python original returns for a conversation. */
export interface OriginalTalk {
  readonly termination_reason: string;
  readonly messages: readonly Record<string, unknown>[];
  readonly reward: number;
  readonly agent_system: string;
  readonly agent_tools: readonly unknown[];
  readonly tool_choice: string | null;
}

/**
 * Runs conversations in the Python original.
 * @param options.save The path of the result file that the original writes. Default: no file is written.
 */
export async function converseTau2(
  runs: readonly ScriptedTalk[],
  { save = null }: { readonly save?: string | null } = {},
): Promise<readonly OriginalTalk[]> {
  const answer = await askPython(
    "converse_tau2.py",
    JSON.stringify({ save, runs }),
  );
  return (answer as { runs: OriginalTalk[] }).runs;
}

/**
 * Runs a conversation in taulab.
 * @returns All messages and calls as plain data, the reward, the turns, and the input of the agent's model.
 */
export async function converse(dataset: Dataset, talk: ScriptedTalk) {
  const task = dataset.tasks("base").find((one) =>
    upstreamId(one) === talk.task_id
  );
  if (task === undefined) throw new TypeError(`No task "${talk.task_id}"`);
  const model = scriptedModel(talk.agent);
  let told: ChatOptions | undefined;
  const agent = toolCallingAgent({
    model: { ...model, chat: (options) => model.chat(told = options) },
  });
  const environment = createEnvironment({
    dataset,
    task,
    user: talk.solo
      ? absentUser()(task, { seed: 1 })
      : llmUser({ dataset, model: scriptedModel(talk.user ?? []) })(task, {
        seed: 1,
      }),
  }) as Tau3Environment;
  const firstMessage = await environment.open();
  const session = agent.start({
    dataset,
    task,
    seed: 1,
    firstMessage,
  });
  for (let isOver = false; !isOver;) {
    const step = await session.act();
    if (step.type !== "action") throw new TypeError(`No action: ${step.type}`);
    const observation = await environment.step(step.action);
    session.observe(observation);
    isOver = observation.done;
  }
  return {
    messages: environment.conversation.map((message) =>
      toPlain(messageObject(message)) as Record<string, unknown>
    ),
    reward: environment.reward(),
    turns: environment.turns,
    system: session.messages[0]?.content,
    told,
  };
}

/** Returns a message from the original without times, costs or positions. */
export function plainMessage(
  { role, content, id, requestor, error, tool_calls }: Record<string, unknown>,
): Record<string, unknown> {
  return role === "tool"
    ? { role, id, content, requestor, error }
    : { role, content, ...tool_calls !== null && { tool_calls } };
}

function scriptedModel(replies: readonly ScriptedReply[]): ChatModel {
  const left = [...replies];
  return answeringModel(() => {
    const { content, tool_calls = [] } = left.shift() ?? { content: "ok" };
    const toolCalls = tool_calls.map((call) => ({
      ...call,
      arguments: fromPlain(call.arguments) as JsonObject,
    }));
    return { content: content ?? "", toolCalls };
  });
}
