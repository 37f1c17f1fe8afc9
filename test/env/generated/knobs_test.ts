import { generated } from "../../../env/generated/generated.ts";
import type { RetailOptionsInput } from "../../../env/domains/retail/world/options.ts";
import {
  type AnyRequest,
  type Knob,
  knobTests,
  mean,
  ofRequests,
} from "../../support/knobs.ts";

const MINDS = {
  cancel: 1,
  modify_address: 1,
  user_address: 1,
  return: 0,
  exchange: 0,
  modify_items: 0,
  modify_payment: 0,
  question: 0,
};

const about = (request: AnyRequest) =>
  !["question", "user_address"].includes(request.intent);

const knobs: readonly Knob<RetailOptionsInput>[] = [
  {
    does: "refusedShare refuses that share of what can be refused",
    low: { refusedShare: 0 },
    high: { refusedShare: 0.5 },
    wanted: [[0, 0], [0.4, 0.6]],
    figure: (world) => {
      const all = world.tasks("train").flatMap(({ goal }) => goal!.requests)
        .filter(about);
      return mean(all.map(({ refused }) => refused ? 1 : 0));
    },
  },
  {
    does:
      "brokenRuleShare refuses details, where an order could be acted on otherwise",
    low: { refusedShare: 1, brokenRuleShare: 0 },
    high: { refusedShare: 1, brokenRuleShare: 1, unavailableShare: 0.5 },
    wanted: [[0, 0], [0.3, 0.8]],
    figure: ofRequests(({ refusedBy = "order" }) =>
      /^(order|account)/.test(refusedBy) ? 0 : 1
    ),
  },
  {
    does: "twoIntentShare makes tasks with two writes",
    low: { twoIntentShare: 0, refusedShare: 0, intents: { question: 0 } },
    high: { twoIntentShare: 1, refusedShare: 0, intents: { question: 0 } },
    wanted: [[1, 1], [2, 2]],
    figure: (world) =>
      mean(
        world.certificates.values().map(({ gold }) => gold.writes.length)
          .toArray(),
      ),
  },
  {
    does: "extraOrdersMax adds rows that no task is about",
    low: { extraOrdersMin: 0, extraOrdersMax: 0 },
    high: { extraOrdersMin: 2, extraOrdersMax: 4 },
    wanted: [[0, 1.6], [3, 6]],
    figure: ({ database, ...world }) =>
      [...database.ids("orders")].length /
      world.splits.flatMap((split) => world.tasks(split)).length,
  },
  {
    does: "orderStatedShare decides who knows the order's id",
    low: { orderStatedShare: 1 },
    high: { orderStatedShare: 0 },
    wanted: [[0, 0.1], [0.6, 1]],
    figure: ofRequests((request) => request.orderWords === undefined ? 0 : 1),
  },
  {
    does: "orderStatedShare makes chains of reads longer",
    low: { orderStatedShare: 1, intents: { exchange: 1, return: 1 } },
    high: { orderStatedShare: 0, intents: { exchange: 1, return: 1 } },
    wanted: [[1, 2.1], [2.2, 4]],
    figure: (world) =>
      mean(
        world.tasks("train").filter(({ intent }) =>
          intent === "exchange" || intent === "return"
        ).map(({ id }) => world.certificates.get(id)!.solvable.chain),
      ),
  },
  {
    does: "detailsStatedShare hides details until they are asked for",
    low: { detailsStatedShare: 1, intents: { question: 0 } },
    high: { detailsStatedShare: 0, intents: { question: 0 } },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(({ forthcoming }) => forthcoming === false ? 1 : 0),
  },
  {
    does: "requestedItemsMax asks for several items at once",
    low: { requestedItemsMax: 1 },
    high: { requestedItemsMax: 3, itemsMin: 3, itemsMax: 3 },
    wanted: [[1, 1], [1.5, 3]],
    figure: (world) =>
      mean(
        world.tasks("train").flatMap(({ goal }) =>
          goal!.requests.flatMap(({ items }) =>
            items === undefined ? [] : [items.length]
          )
        ),
      ),
  },
  {
    does: "changeOfMindShare makes customers want something else at first",
    low: { changeOfMindShare: 0, intents: MINDS, refusedShare: 0 },
    high: { changeOfMindShare: 1, intents: MINDS, refusedShare: 0 },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(({ before }) => before === undefined ? 0 : 1),
  },
  {
    does: "fallbackShare lets refused customers ask for what can be done",
    low: { refusedShare: 1, fallbackShare: 0 },
    high: { refusedShare: 1, fallbackShare: 1 },
    wanted: [[0, 0], [0.2, 0.8]],
    figure: (world) =>
      mean(
        world.tasks("train").map(({ goal }) =>
          goal!.requests.some(({ fallback }) => fallback) ? 1 : 0
        ),
      ),
  },
  {
    does: "voices are drawn by weight",
    low: { voices: { terse: 0, chatty: 0, impatient: 0 } },
    high: { voices: { plain: 1, terse: 1, chatty: 1, impatient: 1 } },
    wanted: [[0, 0], [0.6, 0.9]],
    figure: (world) =>
      mean(
        world.tasks("train").map(({ goal }) =>
          goal!.voice === undefined ? 0 : 1
        ),
      ),
  },
];

knobTests("generated()", {
  make: (options) =>
    generated(3, { trainTasks: 240, devTasks: 1, testTasks: 1, ...options }),
  knobs,
});
