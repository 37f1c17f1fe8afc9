import assert from "node:assert/strict";
import { toolCallingAgent } from "../../../env/agents/tool_calling.ts";
import { tau3Bench } from "../../../env/benchmarks/tau3/tau3_bench.ts";
import {
  fromPlain,
  type JsonObject,
} from "../../../env/python/python_value.ts";
import { rollout } from "../../../env/rollout.ts";
import { llmUser } from "../../../env/users/llm.ts";
import {
  messagesOf,
  turnsOf,
} from "../../../notebooks/viewer/conversation_view.ts";
import { replayedView } from "../../../notebooks/viewer/database_view.ts";
import { answeringModel } from "../../support/chat_models.ts";
import { writeToyBundle } from "../../support/tau3_toy.ts";
import { inTempDir } from "../../support/temp_dir.ts";

function calling(name: string, args: Record<string, string> = {}) {
  const call = { id: name, name, arguments: new Map(Object.entries(args)) };
  return { toolCalls: [call] };
}

function answers(
  ...all: Parameters<typeof answeringModel>[0] extends (
    asked: never,
  ) => infer A ? A[]
    : never
) {
  let next = 0;
  return answeringModel(() => all[next++] ?? "ok");
}

/** An episode in which the user lights their lamp twice: before they speak, and as the agent asks. */
async function episode(dir: string) {
  await writeToyBundle(dir);
  const dataset = await tau3Bench(dir, { domain: "toy" });
  const task = dataset.tasks("base")[0]!;
  const agent = answers(calling("sell", { item: "cup" }), "Press, please.");
  const user = answers(
    calling("press"),
    "A cup.",
    calling("press"),
    "###STOP###",
  );
  const { messages, turns } = await rollout({
    dataset,
    task,
    agent: toolCallingAgent({ model: agent }),
    user: llmUser({ dataset, model: user }),
    seed: 1,
  });
  return {
    dataset,
    task,
    messages: fromPlain(messages) as JsonObject[],
    turns: turnsOf(fromPlain(turns) as JsonObject[]),
  };
}

Deno.test("messagesOf() shows what the user called where they called it", () =>
  inTempDir(async (dir) => {
    const { messages, turns } = await episode(dir);
    const shown = messagesOf(messages, turns).map(({ role, content, calls }) =>
      `${role}: ${content}${calls.map(({ name }) => name)}`
    );
    assert.deepEqual(shown, [
      "system: Serve. Be kind.",
      "assistant: Hi! How can I help you today?",
      "user: press",
      "tool: It is lit.",
      "user: A cup.",
      "assistant: sell",
      "tool: sold",
      "assistant: Press, please.",
      "user: press",
      "tool: It is dark.",
      "user: ###STOP###",
    ]);
  }));

Deno.test("replayedView() replays both sides' calls by the benchmark's rules", () =>
  inTempDir(async (dir) => {
    const { dataset, task, turns } = await episode(dir);
    const view = await replayedView({ dataset, task }, turns);
    assert.deepEqual(view.writes, [
      { turn: 0, rows: ["shop one"] },
      // The lamp is dark again, as the shop sees.
      { turn: 1, rows: ["shop one"] },
    ]);
    assert.deepEqual(
      view.rows.map(({ isRight, fields }) => [
        isRight,
        fields.map(({ path, is }) => [path, is]),
      ]),
      [[true, [["item", '"cup"']]]],
    );
  }));
