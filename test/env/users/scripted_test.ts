import { object } from "../../../env/domains/shared/call.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  RetailRequest,
  RetailTask,
} from "../../../env/domains/retail/goal/request.ts";
import { generated } from "../../../env/generated/generated.ts";
import { createDatabase } from "../../../env/database.ts";
import { DataError } from "../../../env/errors.ts";
import { createRng } from "../../../env/random.ts";
import { rollout } from "../../../env/rollout.ts";
import { STOP, type User } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { userContract } from "../../contract/user_contract.ts";
import { paraphrase, wordyAgent } from "./_paraphrase.ts";

const IDENTITY = {
  firstName: "ada",
  lastName: "stone",
  zip: "12345",
  email: "ada.stone1234@mail.com",
  prefers: "email",
} as const;

const RETURN: RetailRequest = {
  intent: "return",
  orderId: "#W1111111",
  items: ["oak stool"],
  payment: "my paypal",
};

const CANCEL: RetailRequest = {
  intent: "cancel",
  orderId: "#W2222222",
  reason: "no longer needed",
};

const EXCHANGE: RetailRequest = {
  intent: "exchange",
  orderId: "#W1111111",
  items: ["oak stool"],
  newItems: ["red"],
  payment: "my paypal",
  forthcoming: true,
};

const ADDRESS: RetailRequest = {
  intent: "modify_address",
  orderId: "#W2222222",
  address: {
    address1: "12 fern street",
    address2: "apt 3",
    city: "reno",
    state: "nv",
    country: "usa",
    zip: "54321",
  },
};

const QUESTION: RetailRequest = {
  intent: "question",
  orderId: "#W2222222",
  question: "total of order #W2222222",
};

userContract("scriptedUser()", {
  factory: () => scriptedUser({ domain: "retail", database: store() }),
  task: () => taskOf(RETURN, CANCEL),
});

Deno.test("scriptedUser() opens with the first request and nothing else", async () => {
  const first = await userOf(RETURN, CANCEL).open();
  assert.match(first, /return something from order #W1111111/);
  assert.doesNotMatch(first, /oak|stool|paypal|cancel|2222222|ada|stone|12345/);
});

Deno.test("scriptedUser() gives only what it is asked for", async () => {
  const user = userOf(RETURN, CANCEL);
  await user.open();
  const secrets = /oak stool|paypal|cancel|2222222/;
  assert.doesNotMatch(await user.reply("What is your email?"), secrets);
  const item = await user.reply("Which item would you like to return?");
  assert.match(item, /oak stool/);
  assert.doesNotMatch(item, /paypal|cancel|2222222|ada/);
  const payment = await user.reply("Which payment method should I refund?");
  assert.match(payment, /paypal/);
  assert.doesNotMatch(payment, /cancel|2222222|ada/);
});

Deno.test("scriptedUser() tells all details at once if the request is forthcoming", async () => {
  const first = await userOf(EXCHANGE).open();
  assert.match(
    first,
    /the oak stool for the red one in order #W1111111, with my paypal/,
  );
  assert.doesNotMatch(first, /ada|12345/);
});

Deno.test("scriptedUser() identifies itself in the requested way, else in its preferred way", async () => {
  const email = /ada\.stone1234@mail\.com/;
  const named = /ada stone.*12345/;
  const cases: readonly [string, RegExp, RegExp][] = [
    ["what is your email, or your name and zip?", email, named],
    ["May I have your e-mail address?", email, named],
    [
      "Please give me your first name, last name and postal code.",
      named,
      email,
    ],
    ["I need to verify your identity first.", email, named],
    ["Please provide either:\n1. Your email, or\n2. Your name", email, named],
  ];
  for (const [message, wanted, unwanted] of cases) {
    const user = userOf(CANCEL);
    await user.open();
    const reply = await user.reply(message);
    assert.match(reply, wanted, message);
    assert.doesNotMatch(reply, unwanted, message);
  }
});

Deno.test("scriptedUser() answers questions in many phrasings", async () => {
  const cases: readonly [RetailRequest, string, RegExp][] = [
    [CANCEL, "Could you share the order number?", /#W2222222/],
    [CANCEL, "Which order is this about?", /#W2222222/],
    [CANCEL, "Why would you like to cancel?", /no longer needed/],
    [
      CANCEL,
      "Is it 'no longer needed' or 'ordered by mistake'?",
      /it is no longer needed/,
    ],
    [
      RETURN,
      "Your order has 2 items. Which ones should I return?",
      /oak stool/,
    ],
    [RETURN, "What items would you like to send back?", /oak stool/],
    [RETURN, "How should we refund you?", /paypal/],
    [
      RETURN,
      "Do you want the refund on a gift card or the original payment method?",
      /paypal/,
    ],
    [EXCHANGE, "We have it in blue and red. What color would you like?", /red/],
    [EXCHANGE, "What should it be exchanged for? Which new item?", /red/],
    [
      ADDRESS,
      "What's the full new address?",
      /12 fern street, apt 3, reno, nv, usa, 54321/,
    ],
    [ADDRESS, "Where should I have it shipped?", /12 fern street/],
  ];
  for (const [request, message, wanted] of cases) {
    const user = userOf(request);
    await user.open();
    const reply = await user.reply(message);
    assert.match(reply, wanted, message);
    assert.doesNotMatch(reply, /\byes\b/, message);
  }
});

Deno.test("scriptedUser() says that it does not know a detail", async () => {
  const user = userOf({
    intent: "cancel",
    orderWords: "the one with the tea tray",
    reason: "ordered by mistake",
  });
  assert.match(await user.open(), /my order with the tea tray/);
  const reply = await user.reply("What is the order id?");
  assert.match(reply, /the one with the tea tray/);
  assert.match(reply, /\b(not|forgot)\b/);
  assert.equal(
    await user.reply("Which payment method do you want?"),
    "i do not know that.",
  );
});

Deno.test("scriptedUser() says yes to a read-back that agrees, and corrects one that does not", async () => {
  const cases: readonly [RetailRequest, string, RegExp][] = [
    [CANCEL, "cancel #W2222222, no longer needed, yes or no?", /^yes/],
    [CANCEL, "Shall I go ahead?", /^yes/],
    [CANCEL, "Cancel order #W1111111, is that correct?", /^no, .*#W2222222/],
    [
      CANCEL,
      "cancel #W2222222, ordered by mistake, yes or no?",
      /^no, .*no longer needed/,
    ],
    [CANCEL, "return #W2222222, yes or no?", /^no, i want to cancel/],
    [
      RETURN,
      "return oak stool 1000000001 from #W1111111, refund to paypal_1, yes or no?",
      /^yes/,
    ],
    [
      RETURN,
      "return oak stool and tea tray from #W1111111. Do you confirm?",
      /^no, .*oak stool/,
    ],
    [RETURN, "Return the tea tray. Shall I proceed?", /^no, .*oak stool/],
    [
      RETURN,
      "Return the oak stool, refund to your gift card. Is that right?",
      /^no, .*paypal/,
    ],
    [EXCHANGE, "Exchange the oak stool from blue to red. OK?", /^yes/],
    [EXCHANGE, "Exchange the oak stool for green, yes or no?", /^no, .*red/],
    [
      ADDRESS,
      "ship #W2222222 to 12 fern street, apt 3, reno, nv, usa, 54321, yes or no?",
      /^yes/,
    ],
    [
      ADDRESS,
      "ship #W2222222 to 12 fern street, reno, nv, 99999, yes or no?",
      /^no, .*54321/,
    ],
    [
      ADDRESS,
      "Ship it to 9 oak avenue in reno, do you confirm?",
      /^no, .*12 fern street/,
    ],
  ];
  for (const [request, message, wanted] of cases) {
    const user = userOf(request);
    await user.open();
    assert.match(await user.reply(message), wanted, message);
  }
});

Deno.test("scriptedUser() makes the next request when the previous one is done, then stops", async () => {
  const user = userOf(RETURN, CANCEL);
  await user.open();
  await user.reply("return oak stool, yes or no?");
  const next = await user.reply(
    "Your return has been requested. Is there anything else I can help with?",
  );
  assert.match(next, /cancel order #W2222222/);
  await user.reply("cancel #W2222222, yes or no?");
  const last = await user.reply("I've cancelled your order.");
  assert.ok(last.includes(STOP));
});

Deno.test("scriptedUser() stops when its question is answered, not before", async () => {
  const user = userOf(QUESTION);
  await user.open();
  assert.ok(!(await user.reply("One moment, I will look.")).includes(STOP));
  assert.ok((await user.reply("The total is 99.5.")).includes(STOP));
});

Deno.test("scriptedUser() accepts a correct refusal, and doubts a wrong one once", async () => {
  const refusal = "I'm sorry, the order is delivered, so I can't cancel it.";
  const refused = userOf({ ...CANCEL, refused: true });
  await refused.open();
  assert.ok((await refused.reply(refusal)).includes(STOP));
  const allowed = userOf(CANCEL);
  await allowed.open();
  assert.match(await allowed.reply(refusal), /are you sure/);
  assert.ok((await allowed.reply(refusal)).includes(STOP));
});

Deno.test("scriptedUser() ends every conversation, for any messages of the agent", async () => {
  const says = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "what is your email?",
      "which order?",
      "ok",
      "is that correct, yes or no?",
      "return the tea tray, yes or no?",
      "sorry, i cannot do that.",
      "which item? what is the new one? what is the address?",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(says, { minLength: 1, maxLength: 4 }),
      async (messages) => {
        const user = userOf(RETURN, EXCHANGE, CANCEL, QUESTION, ADDRESS);
        let reply = await user.open();
        for (let i = 0; i < 42 && !reply.includes(STOP); i++) {
          reply = await user.reply(messages[i % messages.length] ?? "");
          assert.ok(reply.length > 0);
        }
        assert.ok(reply.includes(STOP));
      },
    ),
  );
});

Deno.test("scriptedUser() lets an agent that talks like a language model reach reward 1", async () => {
  const dataset = await generated(21, {
    trainTasks: 150,
    devTasks: 1,
    testTasks: 1,
    refusedShare: 0.3,
    twoIntentShare: 0.4,
    requestedItemsMax: 2,
    paymentMethodsMax: 3,
    optionsPerProduct: 2,
    orderStatedShare: 0.4,
    detailsStatedShare: 0.3,
    wording: 6,
  });
  for (const task of dataset.tasks("train")) {
    const { reward, stopReason } = await rollout({
      dataset,
      task,
      agent: wordyAgent(),
      user: scriptedUser(dataset),
      userName: "scripted",
      seed: 1,
      maxTurns: 60,
      now: () => 0,
    });
    assert.equal(reward?.value, 1, task.id);
    assert.equal(stopReason, "user_stop", task.id);
  }
});

Deno.test("paraphrase() rewords the expert's sentences", () => {
  const rng = createRng(1);
  for (
    const content of [
      "sure. what is your email, or your name and zip?",
      "which order is it?",
      "shall i cancel #W1, no longer needed, yes or no?",
      "done, order #W1 is cancelled. anything else?",
    ]
  ) {
    assert.notEqual(paraphrase(content, rng) ?? content, content);
  }
});

Deno.test("scriptedUser() names the user who is missing from the database", () => {
  const { goal: _, ...task } = taskOf(CANCEL);
  const database = createDatabase(
    new Map([["users", new Map()], ["orders", new Map()], [
      "products",
      new Map(),
    ]]),
  );
  assert.throws(
    () => scriptedUser({ domain: "retail", database })(task, { seed: 1 }),
    (error) =>
      error instanceof DataError && /ada_stone_1234/.test(error.message),
  );
});

function userOf(...requests: readonly RetailRequest[]): User {
  return scriptedUser({ domain: "retail", database: store() })(
    taskOf(...requests),
    { seed: 3 },
  );
}

function taskOf(...requests: readonly RetailRequest[]): RetailTask {
  return {
    id: "retail/test/0",
    domain: "retail",
    split: "test",
    index: 0,
    userId: "ada_stone_1234",
    instruction: "You are ada stone.",
    actions: [],
    outputs: ["99.5"],
    goal: { identity: IDENTITY, requests },
  };
}

/** Creates a database with one user, who has an order of two items. The items' products come in several colors. */
function store() {
  const colors = ["red", "blue", "green"];
  const product = (name: string, product_id: string) =>
    object({
      name,
      product_id,
      variants: new Map(colors.map((color, i) => [
        `${product_id}${i}`,
        object({ options: object({ color }) }),
      ])),
    });
  const item = (name: string, product_id: string) =>
    object({ name, product_id, item_id: `${product_id}1` });
  return createDatabase(
    new Map([
      [
        "users",
        new Map([["ada_stone_1234", object({ orders: ["#W1111111"] })]]),
      ],
      [
        "orders",
        new Map([[
          "#W1111111",
          object({ items: [item("oak stool", "10"), item("tea tray", "20")] }),
        ]]),
      ],
      [
        "products",
        new Map([
          ["10", product("oak stool", "10")],
          ["20", product("tea tray", "20")],
        ]),
      ],
    ]),
  );
}
