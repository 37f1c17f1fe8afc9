/**
 * Records conversations of the expert and the scripted user, and replays them as a model server. In every other task,
 * the agent gives up, so that rewards differ.
 */

import { expertAgent } from "../../env/agents/expert.ts";
import { deriveSeed } from "../../env/random.ts";
import { rollout } from "../../env/rollout.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import {
  type Dataset,
  type Message,
  STOP,
  type Task,
} from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { chatAnswer, type ModelRequest } from "./model_server.ts";

/** A function that computes the answers of a model server to agents and users. */
export type Answer = (request: ModelRequest) => unknown;

/** The fields that the fake server reads from a message in a request. */
interface ApiMessage {
  readonly role: string;
  readonly content: string;
}

/**
 * Records a conversation on each task, and returns a function that answers requests with the recorded messages. In
 * every other task, the agent's messages are replaced by a transfer. A request's model name, `agent` or `user`, says
 * whose message is requested.
 */
export async function recordedAnswers(
  dataset: Dataset,
  tasks: readonly Task[],
): Promise<Answer> {
  const agents = new Map<string, readonly Message[]>();
  const users: { instruction: string; lines: readonly string[] }[] = [];
  for (const [i, task] of tasks.entries()) {
    const { messages, turns } = await rollout({
      dataset,
      task,
      agent: expertAgent({ prompt: "none" }),
      user: scriptedUser(dataset),
      userName: "scripted",
      seed: deriveSeed(1, task.id),
      now: () => 0,
    });
    const opening = `${messages[0]?.content} (${task.id})`;
    const lines = turns.flatMap(({ observation }) =>
      observation.source === "user" ? [observation.content] : []
    );
    users.push({
      instruction: task.instruction,
      lines: [opening, ...lines],
    });
    const answers = messages.filter(({ role }) => role === "assistant");
    agents.set(opening, i % 2 === 0 ? answers : [GIVE_UP]);
  }
  return ({ body }) => {
    const messages = body.messages as ApiMessage[];
    const said = messages.filter(({ role }) => role === "assistant").length;
    if (body.model === "user") {
      const system = messages[0]?.content ?? "";
      const user = users.find(({ instruction }) =>
        system.includes(instruction)
      );
      return chatAnswer(user?.lines[said] ?? STOP);
    }
    const opening = messages.find(({ role }) => role === "user")?.content ?? "";
    return answerOf(agents.get(opening)?.[said]);
  };
}

const GIVE_UP: Message = {
  role: "assistant",
  content: "",
  toolCalls: [{
    id: "c",
    name: "transfer_to_human_agents",
    arguments: new Map([["summary", "no"]]),
  }],
};

function answerOf(message: Message | undefined): unknown {
  if (message?.role !== "assistant") return chatAnswer("hello");
  const [call] = message.toolCalls ?? [];
  if (call === undefined) return chatAnswer(message.content);
  return chatAnswer(message.content || null, {
    name: call.name,
    arguments: printPythonJson(call.arguments),
  });
}
