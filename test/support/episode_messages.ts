/**
 * Provides complete episodes as messages: the expert's episodes in the generated world, in each agent's format, and
 * τ-bench's recorded episodes.
 */

import type { DomainName } from "../../env/domains/registry.ts";
import { expertAgent } from "../../env/agents/expert.ts";
import { fewShotExamples, fewShotSystem } from "../../env/agents/few_shot.ts";
import { textConversation } from "../../env/agents/text_conversation.ts";
import { openingMessages } from "../../env/agents/tool_calling.ts";
import { generated } from "../../env/generated/generated.ts";
import { loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import {
  checkRecord,
  readRecording,
} from "../../env/benchmarks/tau/replay/recording.ts";
import { rollout } from "../../env/rollout.ts";
import type { Agent, Dataset, Message, ToolSchema } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { recordingPath, TAU_BENCH } from "./tau_bench.ts";

/** The messages of an episode, and the tools in its prompt. */
export interface EpisodeMessages {
  readonly name: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSchema[];
}

/**
 * Returns episodes in the generated retail world in the format of each agent.
 * @param count Number of tasks per agent.
 */
export async function generatedEpisodes(
  count: number,
): Promise<EpisodeMessages[]> {
  const dataset = await generated(7, {
    trainTasks: 10,
    devTasks: 1,
    testTasks: count,
  });
  const examples = await fewShotExamples(dataset);
  const calling = await serve(dataset, expertAgent());
  const shown = await serve(
    dataset,
    expertAgent({
      system: ({ seed }) => fewShotSystem(dataset, { examples, seed }),
    }),
  );
  const told = (strategy: "act" | "react") =>
    calling.map((messages) =>
      textConversation(messages, { dataset, strategy, prompt: "full" })
    );
  const { tools } = dataset;
  return [
    ...named("tool-calling", calling, tools),
    ...named("few-shot", shown, tools),
    ...named("act", told("act"), []),
    ...named("react", told("react"), []),
  ];
}

function named(
  agent: string,
  conversations: readonly (readonly Message[])[],
  tools: readonly ToolSchema[],
): EpisodeMessages[] {
  return conversations.map((messages, i) => ({
    name: `${agent} ${i}`,
    messages,
    tools,
  }));
}

async function serve(
  dataset: Dataset,
  agent: Agent,
): Promise<(readonly Message[])[]> {
  const conversations: (readonly Message[])[] = [];
  for (const [seed, task] of dataset.tasks("test").entries()) {
    const user = scriptedUser(dataset);
    const { messages } = await rollout({
      dataset,
      task,
      agent,
      user,
      userName: "scripted",
      seed,
      now: () => 0,
    });
    conversations.push(messages);
  }
  return conversations;
}

/**
 * Returns conversations that consist of τ-bench's gold calls and the recorded tool results, in the format of the
 * tool-calling agent.
 */
export async function goldEpisodes(
  domain: DomainName,
  { file, count }: { file: string; count: number },
): Promise<EpisodeMessages[]> {
  const { open, tools, records } = await recorded(domain, file);
  return records.slice(0, count).map((record, i) => {
    const { steps } = checkRecord("gold", { record, path: file, number: i });
    const messages = [...open(`Task ${i}, please.`)];
    for (const { name, kwargs, observation } of steps) {
      messages.push(...called(messages.length, { name, kwargs, observation }));
    }
    messages.push({ role: "assistant", content: "It is done." });
    return { name: `${file} ${i}`, messages, tools };
  });
}

/** Returns conversations with all kinds of valid and invalid calls, and the results of τ-bench's tools. */
export async function fuzzedEpisodes(
  domain: DomainName,
  { file, count }: { file: string; count: number },
): Promise<EpisodeMessages[]> {
  const { open, tools, records } = await recorded(domain, file);
  return records.slice(0, count).map((record, i) => {
    const { first_user_message: first, steps } = checkRecord("fuzz_reward", {
      record,
      path: file,
      number: i,
    });
    const messages = [...open(first)];
    for (const { name, kwargs, observation } of steps) {
      const said = kwargs.get("content");
      if (name === "respond" && typeof said === "string") {
        messages.push({ role: "assistant", content: said });
        messages.push({ role: "user", content: observation ?? "" });
      } else {
        messages.push(
          ...called(messages.length, { name, kwargs, observation }),
        );
      }
    }
    return { name: `${file} ${i}`, messages, tools };
  });
}

async function recorded(domain: DomainName, file: string) {
  const dataset = await loadTauBench(TAU_BENCH, domain);
  const path = recordingPath(file);
  const { records } = readRecording(await Deno.readFile(path), path);
  return {
    tools: dataset.tools,
    records,
    open: (firstMessage: string): Message[] =>
      openingMessages({ dataset, firstMessage }, "full"),
  };
}

/** Returns the messages of a call and its result. */
function called(
  index: number,
  { name, kwargs, observation }: {
    name: string;
    kwargs: JsonObject;
    observation: string | null;
  },
): Message[] {
  const id = `call${String(index).padStart(5, "0")}`;
  const call = { id, name, arguments: kwargs };
  return [
    { role: "assistant", content: "", toolCalls: [call] },
    { role: "tool", name, toolCallId: id, content: observation ?? "" },
  ];
}

/** Returns recorded conversations in τ-bench's airline domain in which models play the agent and the user. */
export async function modelEpisodes(count: number): Promise<EpisodeMessages[]> {
  const file = "trajectories_airline_dev.json.gz";
  const { tools, records } = await recorded("airline", file);
  return records.slice(0, count).map((record, i) => {
    const messages = record.get("messages");
    if (!Array.isArray(messages)) throw new TypeError(`${file} ${i}`);
    return {
      name: `${file} ${i}`,
      messages: messages.map((message) => readMessage(message as JsonObject)),
      tools,
    };
  });
}

function readMessage(fields: JsonObject): Message {
  const field = (name: string) => String(fields.get(name) ?? "");
  const content = field("content");
  const role = field("role");
  if (role === "system" || role === "user") return { role, content };
  if (role === "tool") {
    const toolCallId = field("tool_call_id");
    return { role, content, name: field("name"), toolCallId };
  }
  const calls = fields.get("tool_calls");
  if (!Array.isArray(calls)) return { role: "assistant", content };
  const toolCalls = (calls as JsonObject[]).map((call) => {
    const made = call.get("function") as JsonObject;
    const given = parsePythonJson(String(made.get("arguments")));
    return {
      id: String(call.get("id")),
      name: String(made.get("name")),
      arguments: given as JsonObject,
    };
  });
  return { role: "assistant", content, toolCalls };
}
