import assert from "node:assert/strict";
import { generated } from "../../env/generated/generated.ts";
import { createEnvironment } from "../../env/environment.ts";
import { InfrastructureError } from "../../env/errors.ts";
import { type Action, type Dataset, STOP, type User } from "../../env/types.ts";
import { environmentContract } from "../contract/environment_contract.ts";
import { action, smallDataset } from "../support/retail_world.ts";

environmentContract(
  "generated()",
  () => generated(5, { trainTasks: 40, devTasks: 10, testTasks: 10 }),
);

const CANCEL = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "no longer needed"}',
);
const TRANSFER = action("transfer_to_human_agents");

function tool(call: ReturnType<typeof action>): Action {
  return { type: "tool", call: { ...call, id: "1" } };
}

function say(content: string): Action {
  return { type: "respond", content };
}

function userWho(reply: (message: string) => string): User {
  return {
    open: () => Promise.resolve(`hi ${STOP}`),
    reply: (message) => Promise.resolve(reply(message)),
  };
}

async function opened(dataset: Dataset, user = userWho(() => "ok")) {
  const [task] = dataset.tasks("test");
  assert.ok(task);
  const environment = createEnvironment({ dataset, task, user });
  assert.equal(await environment.open(), `hi ${STOP}`);
  return environment;
}

Deno.test("createEnvironment(): gold actions earn the reward, and leave the dataset as it was", async () => {
  const dataset = smallDataset([{ actions: [CANCEL, TRANSFER] }]);
  const untouched = dataset.database.hash();
  const environment = await opened(dataset);
  assert.equal(environment.reward().value, 0);
  const observation = await environment.step(tool(CANCEL));
  assert.match(observation.content, /"cancel_reason": "no longer needed"\}$/);
  assert.equal(environment.reward().value, 1);
  assert.equal(dataset.database.hash(), untouched);
});

Deno.test("Environment.reward() may be called at any time and changes nothing", async () => {
  const environment = await opened(smallDataset([{ actions: [CANCEL] }]));
  await environment.step(
    tool(
      action(
        "modify_pending_order_payment",
        '{"order_id": "#C", "payment_method_id": "paypal_1"}',
      ),
    ),
  );
  const [hash, first] = [environment.database.hash(), environment.reward()];
  assert.deepEqual(environment.reward(), first);
  assert.equal(environment.database.hash(), hash);
  await environment.step(tool(CANCEL));
  assert.deepEqual(environment.reward().differences.map(({ id }) => id), [
    "#C",
    "ann",
  ]);
});

Deno.test("Environment: a terminating tool ends the conversation even if it fails", async () => {
  const environment = await opened(smallDataset([{ actions: [] }]));
  const observation = await environment.step(tool(TRANSFER));
  assert.match(observation.content, /^Error: TransferToHumanAgents/);
  assert.deepEqual([observation.done, observation.end], [true, "transfer"]);
  await assert.rejects(
    environment.step(say("more")),
    /cannot be stepped: it is over/,
  );
});

Deno.test("Environment: the user's stop token ends it anywhere in a reply, in exact case", async () => {
  const environment = await opened(
    smallDataset([{ actions: [] }]),
    userWho((message) => message),
  );
  for (const near of ["###stop###", "### STOP ###", "STOP"]) {
    assert.equal((await environment.step(say(near))).done, false);
  }
  const last = await environment.step(say(`bye ${STOP}!`));
  assert.deepEqual([last.done, last.end, last.source], [
    true,
    "user_stop",
    "user",
  ]);
  assert.equal(environment.turns.length, 4);
});

Deno.test("Environment: opens once, before the first step", async () => {
  const environment = await opened(smallDataset([{ actions: [] }]));
  await assert.rejects(
    environment.open(),
    /cannot be opened: it is already open/,
  );
  const [task] = smallDataset([{ actions: [] }]).tasks("test");
  assert.ok(task);
  const fresh = createEnvironment({
    dataset: smallDataset([]),
    task,
    user: userWho(() => ""),
  });
  await assert.rejects(
    fresh.step(say("x")),
    /cannot be stepped: it is not open yet/,
  );
});

Deno.test("Environment: a failure of the user is an infrastructure failure, never a turn", async () => {
  const environment = await opened(
    smallDataset([{ actions: [] }]),
    userWho(() => {
      throw new Error("no route");
    }),
  );
  await assert.rejects(environment.step(say("x")), (error) => {
    assert.ok(error instanceof InfrastructureError);
    assert.deepEqual([error.source, error.kind], ["user", "bug"]);
    assert.match(error.message, /no route/);
    return true;
  });
  assert.deepEqual(environment.turns, []);
});

Deno.test("Environment: two episodes of one dataset do not see each other", async () => {
  const dataset = smallDataset([{ actions: [CANCEL] }]);
  const [a, b] = [await opened(dataset), await opened(dataset)];
  await a.step(tool(CANCEL));
  assert.deepEqual([a.reward().value, b.reward().value], [1, 0]);
  assert.deepEqual(b.database.changes(), []);
});
