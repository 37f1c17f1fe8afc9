import type {
  AirlineRequest,
  AirlineTask,
} from "../../../../../env/domains/airline/goal/request.ts";
import assert from "node:assert/strict";
import { expertAgent } from "../../../../../env/agents/expert.ts";
import type { AirlineOptionsInput } from "../../../../../env/domains/airline/world/options.ts";
import { generated } from "../../../../../env/generated/generated.ts";
import { createRng } from "../../../../../env/random.ts";
import { rollout } from "../../../../../env/rollout.ts";
import { STOP, type User } from "../../../../../env/types.ts";
import { scriptedUser } from "../../../../../env/users/scripted.ts";
import { userContract } from "../../../../contract/user_contract.ts";
import { paraphrase, wordyAgent } from "../../../users/_paraphrase.ts";
import { AIRLINE_WORDINGS } from "../../../users/_paraphrase_airline.ts";

const SIZE = { trainTasks: 60, devTasks: 1, testTasks: 1 };
const PLAIN = {
  ...SIZE,
  voices: { terse: 0, chatty: 0, impatient: 0 },
  changeOfMindShare: 0,
  wording: 1,
} satisfies AirlineOptionsInput;

const world = await generated(21, {
  ...PLAIN,
  trainTasks: 300,
  refusedShare: 0.3,
  fallbackShare: 0,
}, { domain: "airline" });

userContract("scriptedUser() of an airline", {
  factory: () => scriptedUser(world),
  task: () => taskOf((request) => request.intent === "add_bags"),
});

/** Returns a train task whose first request satisfies a condition. */
function taskOf(wanted: (request: AirlineRequest) => boolean): AirlineTask {
  const task = world.tasks("train").find(({ goal }) =>
    wanted(goal!.requests[0]!)
  );
  assert.ok(task !== undefined, "the world has such a task");
  return task;
}

async function opened(task: AirlineTask): Promise<User> {
  const user = scriptedUser(world)(task, { seed: 1 });
  await user.open();
  return user;
}

/** Returns the user's messages in each train task of a world. The expert plays the agent and must solve every task. */
async function spoken(options: AirlineOptionsInput): Promise<string[][]> {
  const dataset = await generated(4, { ...PLAIN, ...options }, {
    domain: "airline",
  });
  const user = scriptedUser(dataset);
  return await Promise.all(
    dataset.tasks("train").map(async (task) => {
      const { messages, reward, findings } = await rollout({
        dataset,
        task,
        user,
        agent: expertAgent({ prompt: "none" }),
        seed: 9,
        maxTurns: 90,
      });
      assert.equal(reward?.value, 1, task.id);
      assert.deepEqual(findings, [], task.id);
      return messages.filter(({ role }) => role === "user")
        .map(({ content }) => content);
    }),
  );
}

Deno.test("scriptedUser() of an airline gives its id and each detail when asked, and nothing else", async () => {
  const task = taskOf(({ intent, forthcoming, refused }) =>
    intent === "add_bags" && forthcoming === false && !refused
  );
  const { bags, pay } = task.goal!.requests[0]!.trip!;
  const user = await opened(task);
  assert.equal(
    await user.reply("what is your user id?"),
    `my user id is ${task.userId}.`,
  );
  assert.match(
    await user.reply("How many bags would you like to add?"),
    new RegExp(`^${bags} more bags?\\.$`),
  );
  assert.equal(
    await user.reply("Which card should I charge?"),
    `paid with my ${pay?.[0]}.`,
  );
});

Deno.test("scriptedUser() of an airline confirms its request in any wording, and corrects anything else", async () => {
  const task = taskOf(({ intent, refused, trip }) =>
    intent === "add_bags" && !refused && trip?.reservationId !== undefined &&
    trip.pay?.[0] === "credit card"
  );
  const { bags = 0, reservationId } = task.goal!.requests[0]!.trip!;
  const right = `add ${bags} more bags to ${reservationId}`;
  const cases: [message: string, answer: RegExp][] = [
    [`I will ${right} with your credit card. Yes or no?`, /^yes\.$/],
    [`Shall I ${right}? That makes ${bags + 7} bags, credit card.`, /^yes\.$/],
    [`I will add ${bags + 1} more bags to ${reservationId}, ok?`, /^no, /],
    [`I will add ${bags} more bags to QQQ222. Do you confirm?`, /^no, /],
    [`I will ${right} with your gift card. Yes or no?`, /^no, /],
    [`I will cancel ${reservationId}. Yes or no?`, /^no, /],
  ];
  for (const [message, answer] of cases) {
    const user = await opened(task);
    await user.reply("what is your user id?");
    assert.match(await user.reply(message), answer, message);
  }
});

Deno.test("scriptedUser() of an airline corrects a flight that it neither has nor wants", async () => {
  const task = taskOf(({ intent, refused }) =>
    intent === "change_flights" && !refused
  );
  const all = [...world.database.ids("flights")];
  const gold = JSON.stringify(
    task.actions.map(({ arguments: args }) =>
      [...args.values()].map((value) =>
        Array.isArray(value)
          ? value.map((one) => one instanceof Map ? [...one.values()] : one)
          : value
      )
    ),
  );
  const [wanted] = /HAT\d+/g.exec(gold) ?? [];
  const other = all.find((one) => !gold.includes(one) && !isOwn(task, one));
  const read = async (flight: string | undefined) =>
    await (await opened(task)).reply(`I will book ${flight}. Yes or no?`);
  assert.match(await read(wanted), /^yes/);
  assert.match(await read(other), /^no, i want to change the flight/);
});

function isOwn({ userId }: AirlineTask, flight: string): boolean {
  const ids = world.database.get("users", userId)?.get("reservations");
  return (Array.isArray(ids) ? ids : []).some((id) =>
    JSON.stringify(
      [...world.database.get("reservations", String(id))!.values()].map((
        value,
      ) =>
        Array.isArray(value)
          ? value.map((one) => one instanceof Map ? [...one.values()] : one)
          : value
      ),
    ).includes(flight)
  );
}

Deno.test("scriptedUser() of an airline accepts a correct refusal, and doubts a wrong one once", async () => {
  const NO = "Sorry, I cannot do that. Anything else?";
  const refused = await opened(taskOf(({ refused }) => refused === true));
  assert.doesNotMatch(await refused.reply(NO), /are you sure/);
  const allowed = await opened(
    taskOf(({ intent, refused }) => intent === "cancel" && !refused),
  );
  assert.match(await allowed.reply(NO), /^are you sure\? .* cancel/);
  assert.doesNotMatch(await allowed.reply(NO), /are you sure/);
});

Deno.test("scriptedUser() of an airline: the expert serves each voice, and each differs from the plain one", async () => {
  const length = async (voices: AirlineOptionsInput["voices"]) =>
    (await spoken({ voices, wording: 6 })).flat().join("\n").length;
  const plain = await length(PLAIN.voices);
  const terse = await length({ ...PLAIN.voices, plain: 0, terse: 1 });
  const chatty = await length({ ...PLAIN.voices, plain: 0, chatty: 1 });
  const hasty = await spoken({
    voices: { ...PLAIN.voices, plain: 0, impatient: 1 },
  });
  assert.ok(terse < 0.92 * plain, `${terse} of ${plain}`);
  assert.ok(chatty > 1.3 * plain, `${chatty} of ${plain}`);
  assert.match(hasty.flat().join("\n"), /in a hurry/);
});

Deno.test("scriptedUser() of an airline: a user who changes their mind says what is different after the read-back", async () => {
  const conversations = await spoken({
    changeOfMindShare: 1,
    refusedShare: 0,
    intents: { cancel: 0, certificate: 0, question: 0 },
  });
  for (const said of conversations) {
    const at = said.findIndex((text) => /changed my mind/.test(text));
    assert.ok(at > 0, said.join(" | "));
    assert.match(said[at]!, /make it \w/);
    assert.ok(said.slice(at + 1).some((text) => /^yes/.test(text)));
    assert.ok(!said.slice(0, at).some((text) => /^yes/.test(text)));
  }
});

Deno.test("scriptedUser() of an airline: a refused request is followed by an alternative", async () => {
  const conversations = await spoken({ refusedShare: 1, fallbackShare: 1 });
  const after = conversations.filter((said) =>
    said.some((text) =>
      /^(then i want to|in that case, please|then can)/.test(text)
    )
  );
  assert.ok(after.length > 15, `${after.length} ask for something else`);
  assert.ok(conversations.every((said) => said.at(-1)!.includes(STOP)));
});

Deno.test("scriptedUser() of an airline: only dev and test users have held-out phrasings", async () => {
  const dataset = await generated(6, {
    ...PLAIN,
    devTasks: 20,
    testTasks: 20,
    wording: 6,
    holdOutPhrasings: true,
    intents: { question: 0 },
  }, { domain: "airline" });
  const user = scriptedUser(dataset);
  const openings = async (split: "train" | "dev" | "test") => {
    const all = await Promise.all(
      dataset.tasks(split).map((task) => user(task, { seed: 1 }).open()),
    );
    const start = /^[a-z, ]*?(?=(book|change|add|remove|cancel|arrange) )/;
    return new Set(all.map((text) => start.exec(text)?.[0]));
  };
  const train = await openings("train");
  for (const split of ["dev", "test"] as const) {
    const held = await openings(split);
    assert.ok(held.size > 0 && !held.has(undefined));
    assert.deepEqual([...held].filter((one) => train.has(one)), []);
  }
});

Deno.test("scriptedUser() of an airline lets an agent that talks like a language model reach reward 1", async () => {
  const dataset = await generated(23, {
    trainTasks: 300,
    devTasks: 1,
    testTasks: 1,
    refusedShare: 0.3,
    twoIntentShare: 0.4,
    delayShare: 0.5,
    oneStopShare: 0.2,
    reservationStatedShare: 0.4,
    detailsStatedShare: 0.3,
    changeOfMindShare: 0.2,
    passengersMax: 3,
    wording: 6,
  }, { domain: "airline" });
  const agent = wordyAgent(AIRLINE_WORDINGS);
  const user = scriptedUser(dataset);
  for (const task of dataset.tasks("train")) {
    const common = { dataset, task, user, seed: 1, maxTurns: 90 };
    const { reward, stopReason, turns } = await rollout({ ...common, agent });
    assert.equal(reward?.value, 1, task.id);
    assert.equal(stopReason, "user_stop", task.id);
    // The expert repeats unanswered questions.
    const plain = await rollout({ ...common, agent: expertAgent() });
    assert.ok(turns.length <= plain.turns.length, task.id);
  }
});

Deno.test("paraphrase() rewords everything that the airline's expert says", async () => {
  const rng = createRng(1);
  const user = scriptedUser(world);
  for (const task of world.tasks("train")) {
    const { messages } = await rollout({
      dataset: world,
      task,
      user,
      agent: expertAgent({ prompt: "none" }),
      seed: 2,
      maxTurns: 90,
    });
    for (const { role, content } of messages) {
      if (role !== "assistant" || content === "") continue;
      const other = paraphrase(content, rng, { wordings: AIRLINE_WORDINGS });
      assert.notEqual(other ?? content, content);
    }
  }
});
