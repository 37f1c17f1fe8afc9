import assert from "node:assert/strict";
import { toolCallingAgent } from "../../../../env/agents/tool_calling.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { createEnvironment } from "../../../../env/environment.ts";
import { rollout } from "../../../../env/rollout.ts";
import {
  type ChatReply,
  type Dataset,
  STAND_IN,
  type ToolCall,
} from "../../../../env/types.ts";
import { llmUser } from "../../../../env/users/llm.ts";
import { baselineOf } from "../../../../train/evaluation/do_nothing.ts";
import { parseTurns } from "../../../../train/runs/run_episodes.ts";
import {
  messagesOf,
  readObjects,
  turnsOf,
} from "../../../../notebooks/viewer/conversation_view.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { fromPlain } from "../../../../env/python/python_value.ts";
import { answeringModel } from "../../../support/chat_models.ts";
import { TOY_TASK, writeToyBundle } from "../../../support/tau3_toy.ts";

type Answer = string | Partial<ChatReply>;

/** Loads the toy shop's data as a dataset. `criteria` replaces some criteria of its task. */
async function toyDataset(
  criteria: Record<string, unknown> = {},
): Promise<Dataset> {
  const dir = await Deno.makeTempDir();
  try {
    const evaluation_criteria = {
      ...TOY_TASK.evaluation_criteria,
      ...criteria,
    };
    await writeToyBundle(dir, {
      tasks: [{ ...TOY_TASK, evaluation_criteria }],
    });
    return await tau3Bench(dir, { domain: "toy" });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function calls(name: string, args: Record<string, string> = {}): Answer {
  const call: ToolCall = {
    id: name,
    name,
    arguments: new Map(Object.entries(args)),
  };
  return { toolCalls: [call] };
}

/** Creates a model that returns the given answers in order, and `ok` for all later requests. */
function answers(...all: Answer[]) {
  let next = 0;
  return answeringModel(() => all[next++] ?? "ok");
}

/** Runs an episode of the toy shop's task. */
async function play(
  dataset: Dataset,
  { agent, user, ...rest }: {
    agent: ReturnType<typeof answers>;
    user: ReturnType<typeof answers>;
    judge?: (() => string) | typeof STAND_IN;
  },
) {
  return await rollout({
    dataset,
    task: dataset.tasks("base")[0]!,
    agent: toolCallingAgent({ model: agent }),
    user: llmUser({ dataset, model: user }),
    seed: 1,
    retries: 0,
    ...rest,
  });
}

const COUNTED = { reward_basis: ["ENV_ASSERTION", "ACTION", "COMMUNICATE"] };

Deno.test("an episode of τ³-bench lets the user act within the agent's turn, and records it", async () => {
  const dataset = await toyDataset(COUNTED);
  const agent = answers(
    calls("sell", { item: "cup" }),
    "It costs 1000. Light your lamp.",
  );
  const user = answers("A cup, please.", calls("press"), "Done. ###STOP###");
  const episode = await play(dataset, { agent, user });
  assert.equal(episode.failure, null);
  assert.equal(episode.reward?.value, 1);
  assert.equal(episode.stopReason, "user_stop");
  const last = episode.turns.at(-1)?.observation;
  assert.deepEqual(
    last?.userCalls?.map((
      { call, content, error },
    ) => [call.name, content, error]),
    [["press", "It is lit.", false]],
  );
  assert.equal(last?.content, "Done. ###STOP###");
  // The user's model receives the greeting first, then the answers to its calls.
  assert.deepEqual(user.asked.at(-1)?.messages.map(({ role }) => role), [
    "system",
    "user",
    "assistant",
    "user",
    "assistant",
    "tool",
  ]);
  assert.match(user.asked[0]?.messages[0]?.content ?? "", /^Talk and press\./);
  assert.deepEqual(
    episode.messages.slice(0, 3).map(({ role, content }) => [role, content]),
    [
      ["system", "Serve. Be kind."],
      ["assistant", "Hi! How can I help you today?"],
      ["user", "A cup, please."],
    ],
  );
  assert.deepEqual(episode.usage.user.calls, 3);
  const stored = printPythonJson(fromPlain(episode.turns));
  assert.deepEqual(parseTurns(stored), episode.turns);
});

Deno.test("a reward of τ³-bench lists the checks that count and that fail, with reasons", async () => {
  const dataset = await toyDataset(COUNTED);
  const episode = await play(dataset, {
    agent: answers(calls("sell", { item: "mug" }), "Bye."),
    user: answers("A cup, please.", "###STOP###"),
  });
  assert.equal(episode.reward?.value, 0);
  assert.equal(episode.reason, "failed_assertion");
  assert.deepEqual(episode.reward?.parts, { database: 0, outputs: 0 });
  assert.deepEqual(episode.reward?.missingOutputs, ["1000"]);
  assert.deepEqual(
    episode.reward?.checks?.map(({ part, counts, met }) => [part, counts, met]),
    [
      ["DB", false, false],
      ["ENV_ASSERTION", true, false],
      ["ENV_ASSERTION", true, false],
      ["ACTION", true, false],
      ["ACTION", true, false],
      ["COMMUNICATE", true, false],
    ],
  );
  assert.deepEqual(Object.keys(episode.reward?.record as object).slice(0, 3), [
    "reward",
    "db_check",
    "env_assertions",
  ]);
});

Deno.test("limits of τ³-bench end an episode with reward 0", async () => {
  const dataset = await toyDataset(COUNTED);
  const errors = await play(dataset, {
    agent: answers(...Array(12).fill(calls("unknown"))),
    user: answers("hi"),
  });
  assert.deepEqual([errors.stopReason, errors.reward?.value], [
    "too_many_errors",
    0,
  ]);
  assert.equal(errors.turns.length, 10);
});

Deno.test("an episode that needs a judge is not judged without one, and asks the judge once", async () => {
  const dataset = await toyDataset({ reward_basis: ["NL_ASSERTION"] });
  const talk = () => ({ agent: answers(), user: answers("hi", "###STOP###") });
  const unjudged = await play(dataset, talk());
  assert.deepEqual([unjudged.reward, unjudged.failure?.kind], [
    null,
    "not_judged",
  ]);
  let asked = 0;
  const verdict = (met: boolean) => () => {
    asked++;
    return JSON.stringify({
      results: [{ expectedOutcome: "x", reasoning: "r", metExpectation: met }],
    });
  };
  const yes = await play(dataset, { ...talk(), judge: verdict(true) });
  assert.equal(yes.reward?.value, 1);
  const no = await play(dataset, { ...talk(), judge: verdict(false) });
  assert.deepEqual([no.reward?.value, no.reason], [0, "failed_judgement"]);
  assert.equal(asked, 2);
  const broken = await play(dataset, { ...talk(), judge: () => "no JSON" });
  assert.deepEqual([broken.reward, broken.failure?.kind], [
    null,
    "bad_response",
  ]);
});

Deno.test("an episode with the stand-in judge is scored if that can decide", async () => {
  const about = (text: string) =>
    toyDataset({ reward_basis: ["NL_ASSERTION"], nl_assertions: [text] });
  const judged = async (text: string, said: string) =>
    await play(await about(text), {
      agent: answers(said),
      user: answers("hi", "###STOP###"),
      judge: STAND_IN,
    });
  const price = "Agent should tell the user the price is $4.20.";
  const told = await judged(price, "The price is $4.20.");
  assert.equal(told.reward?.value, 1);
  assert.deepEqual(told.reward?.checks?.at(-1), {
    part: "NL_ASSERTION",
    counts: true,
    what: price,
    met: true,
    why: "The agent said it.",
  });
  const silent = await judged(price, "It is cheap.");
  assert.deepEqual(
    [silent.reward?.value, silent.reason],
    [0, "failed_judgement"],
  );
  const other = await judged("The agent is kind.", "The price is $4.20.");
  assert.equal(other.failure?.kind, "not_judged");
  assert.match(
    other.failure?.message ?? "",
    /the stand-in judge cannot decide/,
  );
});

Deno.test("an episode whose user says nothing fails, and the agent is not scored", async () => {
  const dataset = await toyDataset();
  const episode = await play(dataset, {
    agent: answers(),
    user: answers("", "", ""),
  });
  assert.deepEqual([episode.failure?.source, episode.failure?.kind], [
    "user",
    "bad_response",
  ]);
});

Deno.test("the do-nothing baseline counts assertions for a judge as passed", async () => {
  const judged = await toyDataset({ reward_basis: ["NL_ASSERTION"] });
  assert.equal(baselineOf(judged, judged.tasks("base")[0]!), 1);
  const counted = await toyDataset(COUNTED);
  assert.equal(baselineOf(counted, counted.tasks("base")[0]!), 0);
});

Deno.test("a user without tools is asked through open() and reply()", async () => {
  const dataset = await toyDataset({
    reward_basis: ["DB"],
    actions: [],
    env_assertions: null,
  });
  const task = dataset.tasks("base")[0]!;
  const heard: string[] = [];
  const environment = createEnvironment({
    dataset,
    task,
    user: {
      open: () => Promise.resolve("hi"),
      reply(message) {
        heard.push(message);
        return Promise.resolve("###STOP###");
      },
    },
  });
  assert.equal(await environment.open(), "hi");
  const end = await environment.step({ type: "respond", content: "Hello." });
  assert.deepEqual(end, {
    source: "user",
    content: "###STOP###",
    done: true,
    end: "user_stop",
  });
  assert.deepEqual(heard, ["Hello."]);
  assert.equal(environment.reward().value, 1);
  await assert.rejects(
    environment.step({ type: "respond", content: "x" }),
    /it is over/,
  );
});

Deno.test("an episode continues from earlier turns with the changes of both sides", async () => {
  const dataset = await toyDataset(COUNTED);
  const task = dataset.tasks("base")[0]!;
  const { turns, reward } = await play(dataset, {
    agent: answers(calls("sell", { item: "cup" }), "Press, please.", "1000"),
    user: answers(
      calls("press"),
      "A cup.",
      calls("press"),
      calls("press"),
      "It is lit.",
      "###STOP###",
    ),
  });
  assert.equal(reward?.value, 1);
  const last = turns.at(-1)!;
  const environment = createEnvironment({
    dataset,
    task,
    user: {
      open: () => Promise.reject(new TypeError("It is open")),
      reply: () => Promise.resolve("###STOP###"),
    },
    from: { database: dataset.database, turns: turns.slice(0, -1) },
  });
  assert.equal(environment.database.get("shop", "one")?.get("item"), "cup");
  assert.equal(environment.userDatabase?.get("lamp", "one")?.get("lit"), true);
  assert.equal(environment.reward().value, 0);
  assert.deepEqual(await environment.step(last.action), last.observation);
  assert.deepEqual(environment.turns, turns);
  assert.equal(environment.reward().value, 1);
});

Deno.test("calls before the user's first message are recorded in the first turn", async () => {
  const dataset = await toyDataset(COUNTED);
  const { turns } = await play(dataset, {
    agent: answers("Bye."),
    user: answers(calls("press"), "It is lit.", "###STOP###"),
  });
  assert.deepEqual(
    turns[0]?.openingCalls?.map(({ call, content }) => [call.name, content]),
    [["press", "It is lit."]],
  );
  const stored = printPythonJson(fromPlain(turns));
  assert.deepEqual(parseTurns(stored), turns);
});

Deno.test("an agent's text next to a call counts as a message to the user and is recorded", async () => {
  const dataset = await toyDataset({ reward_basis: ["COMMUNICATE"] });
  const { turns, reward } = await play(dataset, {
    agent: answers(
      { ...calls("look") as object, content: "It costs 1,000." },
      "Bye.",
    ),
    user: answers("A cup, please.", "###STOP###"),
  });
  assert.equal(reward?.value, 1);
  const stored = printPythonJson(fromPlain(turns));
  assert.deepEqual(parseTurns(stored), turns);
  assert.match(stored, /It costs 1,000/);
});

Deno.test("an answer with several calls is one message with a turn per call, which count as one", async () => {
  const dataset = await toyDataset(COUNTED);
  const [look, sell] = ["look", "sell"].map((id) => ({
    id,
    name: "sell",
    arguments: new Map([["item", id === "look" ? "nothing" : "cup"]]),
  }));
  const agent = answers(
    { toolCalls: [look!, sell!] },
    "It costs 1000. Light your lamp.",
  );
  const user = answers("A cup, please.", calls("press"), "Done. ###STOP###");
  const episode = await rollout({
    dataset,
    task: dataset.tasks("base")[0]!,
    agent: toolCallingAgent({ model: agent }),
    user: llmUser({ dataset, model: user }),
    seed: 1,
    maxTurns: 2,
  });
  assert.equal(episode.failure, null);
  assert.equal(episode.stopReason, "user_stop");
  assert.equal(episode.reward?.value, 1);
  assert.deepEqual(
    episode.turns.map(({ action }) =>
      action.type === "tool"
        ? [action.call.id, action.beside?.length ?? 0]
        : "said"
    ),
    [["look", 1], ["sell", 0], "said"],
  );
  assert.deepEqual(
    agent.asked[1]?.messages.slice(-3).map((message) => [
      message.role,
      message.role === "tool" ? message.toolCallId : "",
    ]),
    [["assistant", ""], ["tool", "look"], ["tool", "sell"]],
  );
  const read = parseTurns(printPythonJson(fromPlain(episode.turns)));
  assert.deepEqual(read, episode.turns);
  const view = messagesOf(
    readObjects(printPythonJson(fromPlain(episode.messages))),
    turnsOf(readObjects(printPythonJson(fromPlain(episode.turns)))),
  );
  assert.deepEqual(
    view.filter(({ role }) => role === "assistant" || role === "tool")
      .map(({ role, turn }) => [role, turn]),
    [
      ["assistant", null],
      ["assistant", 0],
      ["tool", 0],
      ["tool", 1],
      ["assistant", 2],
      // The user's call.
      ["tool", 2],
    ],
  );
});
