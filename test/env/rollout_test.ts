import assert from "node:assert/strict";
import { expertAgent } from "../../env/agents/expert.ts";
import { toolCallingAgent } from "../../env/agents/tool_calling.ts";
import { generated } from "../../env/generated/generated.ts";
import { InfrastructureError } from "../../env/errors.ts";
import { tokenChatModel } from "../../env/models/token_chat.ts";
import {
  rollout,
  rolloutAll,
  type RolloutContext,
  type RolloutSpec,
} from "../../env/rollout.ts";
import { demonstrationTrajectory } from "../../env/tokens/demonstration.ts";
import {
  type Agent,
  type Dataset,
  type Episode,
  STOP,
  type Task,
  type TokenModel,
  type UserFactory,
} from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { callText, tinyCodec } from "../support/tiny_codec.ts";
import {
  babblingModel,
  replayingModel,
  sayingModel,
} from "../support/token_models.ts";

const codec = tinyCodec();
const dataset: Dataset = await generated(3, {
  trainTasks: 12,
  devTasks: 1,
  testTasks: 1,
});
const tasks = dataset.tasks("train");
const task = tasks[0] as Task;
const scripted = scriptedUser(dataset);

function agentOver(model: TokenModel, maxTokensPerTurn = 200): Agent {
  return toolCallingAgent({
    model: tokenChatModel(model, {
      ...codec,
      temperature: 1,
      maxTokensPerTurn,
    }),
    prompt: "none",
  });
}

function saying(...texts: string[]): Agent {
  return agentOver(sayingModel(codec.tokenizer, texts));
}

/** Creates a factory of users who say the given lines in order, and `And?` from then on. */
function userSaying(...lines: string[]): UserFactory {
  return () => {
    const left = lines.values();
    const next = () => Promise.resolve(left.next().value ?? "And?");
    return { open: next, reply: next };
  };
}

/** Creates a factory of users whose first `times` replies fail. Replies are counted across all episodes. */
function failing(
  times: number,
  kind: InfrastructureError["kind"],
): UserFactory {
  let left = times;
  return () => ({
    open: () => Promise.resolve("Hello"),
    reply: () => {
      if (left-- <= 0) return Promise.resolve(STOP);
      const error = new InfrastructureError("No answer", {
        kind,
        source: "user",
      });
      return Promise.reject(error);
    },
  });
}

function spec(options: Partial<RolloutSpec>): RolloutSpec & RolloutContext {
  return {
    dataset,
    task,
    agent: saying("Hello", "Bye"),
    user: userSaying("Hi", STOP),
    userName: "test",
    seed: 1,
    now: () => 0,
    ...options,
  };
}

Deno.test("rollout() records the episode of an expert, with its reward and everything that the episode depends on", async () => {
  let clock = 100;
  const episode = await rollout({
    ...spec({ agent: expertAgent({ prompt: "none" }), user: scripted }),
    userName: "scripted",
    now: () => clock += 50,
  });
  assert.equal(episode.taskId, task.id);
  assert.equal(episode.split, "train");
  assert.equal(episode.intent, task.intent);
  assert.equal(episode.agent, "expert");
  assert.equal(episode.user, "scripted");
  assert.equal(episode.seed, 1);
  assert.equal(episode.stopReason, "user_stop");
  assert.equal(episode.reward?.value, 1);
  assert.equal(episode.failure, null);
  assert.equal(episode.retries, 0);
  assert.equal(episode.trajectory, null);
  assert.ok(episode.turns.length > 1);
  assert.equal(episode.startedAtMs, 150);
  // The clock is read once to open, twice per turn, once to grade and once for the record.
  const ticks = 2 * episode.turns.length + 2;
  assert.equal(episode.durationMs, 50 * (ticks + 1));
  const waited = (kind: string) =>
    episode.spans?.filter((span) => span.kind === kind)
      .reduce((sum, { ms }) => sum + ms, 0);
  const spoken =
    episode.turns.filter(({ action }) => action.type === "respond").length;
  assert.equal(waited("model"), 50 * episode.turns.length);
  assert.equal(waited("user"), 50 * (spoken + 1));
  assert.equal(
    waited("environment"),
    50 * (episode.turns.length - spoken + 1),
  );
  assert.equal(
    episode.turns.at(-1)?.observation.content,
    episode.messages.at(-1)?.content,
  );
});

Deno.test("rollout() ends when a terminating tool is called", async () => {
  const agent = saying(callText("transfer_to_human_agents", '{"summary": ""}'));
  const episode = await rollout(spec({ agent }));
  assert.equal(episode.stopReason, "transfer");
  assert.notEqual(episode.reward, null);
});

Deno.test("rollout() scores mistakes of the model: too many turns, parse errors or tokens give 0", async () => {
  const endless = spec({
    agent: saying("a", "b", "c", "d"),
    user: userSaying("Hi"),
    maxTurns: 3,
  });
  const turns = await rollout(endless);
  assert.equal(turns.stopReason, "max_turns");
  assert.equal(turns.turns.length, 3);

  const wrong = callText("fly");
  const mistakes = await rollout(spec({
    agent: saying(wrong, "a", wrong, wrong, wrong),
    user: userSaying("Hi"),
    maxParseErrors: 2,
  }));
  assert.equal(mistakes.stopReason, "parse_errors");
  assert.equal(mistakes.parseErrors, 3);
  assert.equal(mistakes.turns.length, 1);

  const tokens = await rollout(
    spec({ agent: agentOver(sayingModel(codec.tokenizer, ["Hello"]), 1) }),
  );
  assert.equal(tokens.stopReason, "out_of_tokens");

  for (const { reward, failure } of [turns, mistakes, tokens]) {
    assert.equal(reward?.value, 0);
    assert.equal(failure, null);
  }
});

Deno.test("rollout() gives 0 to a truncated conversation although the database is right", async () => {
  const refused =
    dataset.tasks("train").find(({ actions }) => actions.length === 0) ??
      { ...task, actions: [], outputs: [] };
  const cut = {
    task: refused,
    agent: saying("a", "b"),
    user: userSaying("Hi"),
  };
  const off = await rollout(spec({ ...cut, maxTurns: 1 }));
  assert.equal(off.reward?.parts.database, 1);
  assert.equal(off.reward?.value, 0);
  const whole = await rollout(
    spec({ ...cut, user: userSaying("Hi", STOP), maxTurns: 1 }),
  );
  assert.equal(whole.reward?.parts.database, 1);
});

Deno.test("rollout() retries a failure in a fresh environment, waiting longer each time", async () => {
  const waits: number[] = [];
  const episode = await rollout({
    ...spec({
      agent: agentOver(babblingModel(codec.tokenizer)),
      user: failing(2, "rate_limited"),
    }),
    sleep: (ms) => Promise.resolve(void waits.push(ms)),
    backoffMs: 100,
  });
  assert.equal(episode.failure, null);
  assert.equal(episode.retries, 2);
  assert.equal(episode.stopReason, "user_stop");
  assert.equal(waits.length, 2);
  const [first = 0, second = 0] = waits;
  assert.ok(first >= 50 && first < 150 && second >= 100 && second < 300);

  const never = await rollout(
    spec({
      agent: agentOver(babblingModel(codec.tokenizer)),
      user: failing(0, "timeout"),
    }),
  );
  assert.deepEqual(never.messages, episode.messages);
  assert.deepEqual(never.trajectory, episode.trajectory);
});

Deno.test("rollout() records a persistent failure without reward, and keeps the conversation", async () => {
  const episode = await rollout({
    ...spec({ agent: expertAgent(), user: failing(99, "server_error") }),
    retries: 2,
    sleep: () => Promise.resolve(),
  });
  assert.equal(episode.reward, null);
  assert.equal(episode.stopReason, "failed");
  assert.equal(episode.retries, 2);
  assert.deepEqual(episode.failure, {
    kind: "server_error",
    source: "user",
    message: "No answer",
  });
  assert.ok(episode.messages.length >= 2);
});

Deno.test("rollout() records an unexpected error as a bug, without a retry", async () => {
  const broken: Agent = {
    name: "broken",
    start() {
      throw new TypeError("no such field");
    },
  };
  const episode = await rollout(spec({ agent: broken }));
  assert.deepEqual(episode.failure, {
    kind: "bug",
    source: "model",
    message: "TypeError: no such field",
  });
  assert.equal(episode.retries, 0);
  assert.equal(episode.reward, null);
  assert.equal(episode.model, "broken");
  assert.deepEqual(episode.messages, []);
});

Deno.test("rollout() closes the agent's session for every kind of end", async () => {
  const released: string[] = [];
  const model = {
    ...babblingModel(codec.tokenizer),
    release: (session: string) => void released.push(session),
  };
  const agent = agentOver(model);
  await rollout(spec({ agent }));
  await rollout({
    ...spec({ agent, user: failing(2, "timeout") }),
    sleep: () => Promise.resolve(),
  });
  assert.equal(released.length, 4);
});

Deno.test("rollout() throws the signal's reason, whichever part notices the abort", async () => {
  const reason = new Error("enough");
  await assert.rejects(
    rollout({ ...spec({}), signal: AbortSignal.abort(reason) }),
    reason,
  );
  const controller = new AbortController();
  const waiting: UserFactory = () => ({
    open: () => Promise.resolve("Hi"),
    reply: (_message, options) => {
      controller.abort(reason);
      return Promise.reject(options?.signal?.reason);
    },
  });
  await assert.rejects(
    rollout({ ...spec({ user: waiting }), signal: controller.signal }),
    reason,
  );
  const during = new AbortController();
  setTimeout(() => during.abort(reason), 5);
  await assert.rejects(
    rollout({
      ...spec({ agent: expertAgent(), user: failing(9, "timeout") }),
      backoffMs: 60_000,
      signal: during.signal,
    }),
    reason,
  );
});

function babblingSpecs(count: number): RolloutSpec[] {
  const agent = agentOver(
    babblingModel(codec.tokenizer, {
      endShare: 0.3,
      // Turns of different episodes interleave in an order that differs with the concurrency.
      wait: () => new Promise((resolve) => setTimeout(resolve, 0)),
    }),
  );
  return Array.from({ length: count }, (_, i) => ({
    dataset,
    task: tasks[i % tasks.length] as Task,
    agent: i % 5 === 0 ? expertAgent() : agent,
    user: scripted,
    userName: "scripted",
    seed: i,
    maxTurns: 6,
  }));
}

Deno.test("rolloutAll(): the same seeds give the same episodes at any concurrency, in the order of the specs", async () => {
  const run = (concurrency: number) =>
    rolloutAll(babblingSpecs(60), { concurrency, now: () => 0 });
  const [alone, together] = [await run(1), await run(50)];
  assert.deepEqual(together, alone);
  assert.deepEqual(alone.map(({ seed }) => seed), [...alone.keys()]);
  assert.ok(new Set(alone.map(({ stopReason }) => stopReason)).size > 1);
});

Deno.test("rolloutAll() respects the concurrency and reports every episode once", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  const slow: UserFactory = () => ({
    open: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return "Hi";
    },
    reply: () => {
      running--;
      return Promise.resolve(STOP);
    },
  });
  const specs = Array.from(
    { length: 20 },
    (_, seed) => spec({ seed, user: slow, agent: saying("Hello") }),
  );
  const episodes = await rolloutAll(specs, {
    concurrency: 4,
    now: () => 0,
    onEpisode: (episode, index) => {
      assert.equal(episode.seed, index);
      seen.push(index);
    },
  });
  assert.equal(most, 4);
  assert.equal(episodes.length, 20);
  assert.deepEqual(seen.sort((a, b) => a - b), [...episodes.keys()]);
  assert.deepEqual(
    await rolloutAll([], { concurrency: 4, now: () => 0 }),
    [],
  );
});

Deno.test("rolloutAll() throws the signal's reason after running episodes have ended", async () => {
  const controller = new AbortController();
  const finished: Episode[] = [];
  const promise = rolloutAll(babblingSpecs(40), {
    concurrency: 8,
    now: () => 0,
    signal: controller.signal,
    onEpisode: (episode) => {
      finished.push(episode);
      if (finished.length === 5) controller.abort(new Error("enough"));
    },
  });
  await assert.rejects(promise, /enough/);
  const count = finished.length;
  assert.ok(count >= 5 && count < 40);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(finished.length, count);
});

Deno.test("rolloutAll() lets timers and signals run between episodes that never wait", async () => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("time is up")));
  let finished = 0;
  const promise = rolloutAll(babblingSpecs(10_000), {
    concurrency: 1,
    now: () => 0,
    signal: controller.signal,
    onEpisode: () => void finished++,
  });
  await assert.rejects(promise, /time is up/);
  clearTimeout(timer);
  assert.ok(finished < 10_000, String(finished));
});

Deno.test("rolloutAll() stops when onEpisode throws, and rejects an invalid concurrency", async () => {
  await assert.rejects(
    rolloutAll(babblingSpecs(20), {
      concurrency: 2,
      now: () => 0,
      onEpisode: () => Promise.reject(new Error("disk full")),
    }),
    /disk full/,
  );
  for (const concurrency of [0, -1, 1.5, NaN]) {
    await assert.rejects(
      rolloutAll([], { concurrency, now: () => 0 }),
      RangeError,
    );
  }
});

Deno.test("demonstrationTrajectory() equals the trajectory of a policy that samples the expert's answers", async () => {
  for (const task of tasks) {
    const shown = await rollout(
      spec({ task, agent: expertAgent({ prompt: "none" }), user: scripted }),
    );
    const demonstration = demonstrationTrajectory({
      ...codec,
      messages: shown.messages,
    });
    const replayed = await rollout(
      spec({
        task,
        agent: agentOver(replayingModel(demonstration), 10_000),
        user: scripted,
      }),
    );
    assert.equal(replayed.failure, null);
    assert.deepEqual(replayed.trajectory, demonstration);
    assert.equal(replayed.reward?.value, 1);
    assert.deepEqual(
      replayed.messages.map(({ content }) => content),
      shown.messages.map(({ content }) => content),
    );
  }
});

Deno.test("rolloutAll() keeps hundreds of conversations open with little memory", async () => {
  const before = performance.now();
  const episodes = await rolloutAll(babblingSpecs(400), {
    concurrency: 400,
    now: () => 0,
  });
  assert.equal(episodes.length, 400);
  assert.ok(episodes.every(({ failure }) => failure === null));
  assert.ok(performance.now() - before < 20_000);
});

Deno.test("rollout() accepts a custom reward, and keeps the graded parts and the reason", async () => {
  const solved = await rollout({
    ...spec({ agent: expertAgent(), user: scripted }),
    reward: ({ graded, turns }) => graded.value - 0.01 * turns.length,
  });
  assert.ok(solved.reward);
  assert.equal(solved.reward.value, 1 - 0.01 * solved.turns.length);
  assert.deepEqual(solved.reward.parts.database, 1);
  assert.equal(solved.reason, null);

  const plain = await rollout(spec({}));
  const shaped = await rollout(
    spec({ agent: saying("Hello", "Bye"), reward: () => 1 }),
  );
  assert.equal(plain.reward?.value, 0);
  assert.equal(shaped.reward?.value, 1);
  assert.equal(shaped.reason, plain.reason);
  assert.notEqual(shaped.reason, null);
});

Deno.test("rollout() fails an episode whose reward function throws or returns no number", async () => {
  const throwing = () => {
    throw new Error("out of sums");
  };
  for (const reward of [() => NaN, throwing]) {
    const episode = await rollout(spec({ reward }));
    assert.equal(episode.failure?.kind, "bug");
    assert.equal(episode.reward, null);
    assert.equal(episode.reason, null);
  }
});

Deno.test("rollout() uses the real clock by default, which changes nothing but the times", async () => {
  const before = Date.now();
  const spec = { dataset, task, agent: expertAgent(), user: scripted, seed: 5 };
  const byClock = await rollout(spec);
  const [again] = await rolloutAll([spec]);
  assert.ok(byClock.startedAtMs >= before - 1000);
  assert.ok(byClock.startedAtMs <= Date.now() + 1000);
  assert.ok(byClock.durationMs >= 0);
  const undated = (episode: Episode | undefined) => ({
    ...episode,
    startedAtMs: 0,
    durationMs: 0,
    spans: [],
  });
  const at = await rollout({ ...spec, now: () => 0 });
  assert.deepEqual(undated(byClock), at);
  assert.deepEqual(undated(again), at);
});

Deno.test("rollout() records the user by the given name, the factory's label, or custom", async () => {
  const nameOf = async (user: UserFactory, names: { userName?: string } = {}) =>
    (await rollout({
      dataset,
      task,
      agent: expertAgent(),
      user,
      seed: 5,
      ...names,
    })).user;
  assert.equal(await nameOf(scripted), "scripted");
  assert.equal(await nameOf(scripted, { userName: "mine" }), "mine");
  assert.equal(await nameOf((...of) => scripted(...of)), "custom");
});
