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
import { viewByRules } from "../../../notebooks/viewer/database_view.ts";
import { viewEpisode } from "../../../notebooks/viewer/episode_view.ts";
import type { EpisodeRow } from "../../../notebooks/viewer/protocol.ts";
import { answeringModel } from "../../support/chat_models.ts";
import { TOY_TASK, writeToyBundle } from "../../support/tau3_toy.ts";
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

/**
 * Plays an episode in which the user lights their lamp twice: before their first message, and at the agent's request.
 */
async function episode(
  dir: string,
  options?: Parameters<typeof writeToyBundle>[1],
) {
  await writeToyBundle(dir, options);
  const dataset = await tau3Bench(dir, { domain: "toy" });
  const task = dataset.tasks("base")[0]!;
  const agent = answers(calling("sell", { item: "cup" }), "Press, please.");
  const user = answers(
    calling("press"),
    "A cup.",
    calling("press"),
    "###STOP###",
  );
  const { messages, turns, ...rest } = await rollout({
    dataset,
    task,
    agent: toolCallingAgent({ model: agent }),
    user: llmUser({ dataset, model: user }),
    seed: 1,
  });
  const parts = {
    messages: fromPlain(messages) as JsonObject[],
    turns: fromPlain(turns) as JsonObject[],
  };
  const stored = { ...rest, rewardDetail: rest.reward, tokens: 0, parts };
  // Only the row's id and task are read.
  const row = { id: 1, task: task.id } as EpisodeRow;
  return { dataset, task, turns, stored, row };
}

Deno.test("messagesOf() shows the user's calls at their position", () =>
  inTempDir(async (dir) => {
    const { stored: { parts } } = await episode(dir);
    const shown = messagesOf(parts.messages, turnsOf(parts.turns)).map((
      { role, content, calls },
    ) => `${role}: ${content}${calls.map(({ name }) => name)}`);
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

Deno.test("viewEpisode() shows both sides' rows after the task's set-up, and each check with its reason", () =>
  inTempDir(async (dir) => {
    const { dataset, task, stored, row } = await episode(dir);
    const view = await viewEpisode({
      run: "r",
      row,
      stored,
      group: [row],
      partsOf: () => stored.parts,
      world: () => Promise.resolve({ dataset, note: null }),
      known: task,
      find: () => [],
    });
    assert.deepEqual(view.database.writes, [
      { turn: 0, rows: ["shop one", "lamp one"] },
      // The lamp is dark again, which the shop sees too.
      { turn: 1, rows: ["shop one", "lamp one"] },
    ]);
    assert.deepEqual(
      view.database.rows.map(({ side, isRight, fields }) => [
        side,
        isRight,
        fields.map(({ path, was, is, should }) => [path, was, is, should]),
      ]),
      [
        ["user", false, [["lit", "false", "false", "true"]]],
        ["agent", true, [["item", '"box"', '"cup"', '"cup"']]],
      ],
    );
    assert.deepEqual(
      view.reward?.checks.map(({ part, counts, met }) => [part, counts, met]),
      [
        ["DB", true, false],
        ["ENV_ASSERTION", true, true],
        ["ENV_ASSERTION", true, false],
        ["ACTION", true, true],
        ["ACTION", true, true],
        ["COMMUNICATE", true, false],
      ],
    );
    assert.match(view.reward?.checks.at(-1)?.why ?? "", /1000/);
  }));

Deno.test("viewEpisode() compares rows even if the reward does not, and says so", () =>
  inTempDir(async (dir) => {
    const evaluation_criteria = {
      ...TOY_TASK.evaluation_criteria,
      reward_basis: ["ENV_ASSERTION"],
    };
    const { dataset, task, turns } = await episode(dir, {
      tasks: [{ ...TOY_TASK, evaluation_criteria }],
    });
    const replayed = dataset.rules?.replay(task, turns);
    assert(replayed !== undefined);
    const { isCompared, note, rows } = viewByRules(replayed);
    assert.equal(isCompared, false);
    assert.match(note ?? "", /does not compare/);
    assert.deepEqual(rows.map(({ side }) => side), ["user", "agent"]);
  }));
