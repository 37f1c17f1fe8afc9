import assert from "node:assert/strict";
import type { AirlineIntent } from "../../../../../env/domains/airline/goal/request.ts";
import { AIRPORTS } from "../../../../../env/domains/airline/tools/list_all_airports.ts";
import type {
  AirlineOptions,
  AirlineOptionsInput,
} from "../../../../../env/domains/airline/world/options.ts";
import { generated } from "../../../../../env/generated/generated.ts";
import {
  type AnyRequest,
  type AnyWorld,
  type Knob,
  knobTests,
  ofRequests,
  ofTasks,
} from "../../../../support/knobs.ts";

const INTENTS = [
  "book",
  "change_flights",
  "change_cabin",
  "change_passengers",
  "add_bags",
  "cancel",
  "certificate",
  "question",
] as const satisfies AirlineIntent[];

function only(
  ...intents: readonly (typeof INTENTS[number])[]
): AirlineOptions["intents"] {
  return Object.fromEntries(
    INTENTS.map((intent) => [intent, intents.includes(intent) ? 1 : 0]),
  ) as AirlineOptions["intents"];
}

const CHANGES = only(
  "change_flights",
  "change_cabin",
  "change_passengers",
  "add_bags",
);

const writes = ofTasks(({ id }, world) =>
  world.certificates.get(id)!.gold.writes.length
);

const chain = ofTasks(({ id }, world) =>
  world.certificates.get(id)!.solvable.chain
);

const isAsked = ({ intent }: AnyRequest) => intent !== "question";
const isBooked = ({ intent }: AnyRequest) => intent === "book";

function rowsPerTask({ database, ...world }: AnyWorld): number {
  const tasks = world.splits.flatMap((split) => world.tasks(split));
  return [...database.ids("reservations")].length / tasks.length;
}

const knobs: readonly Knob<AirlineOptionsInput>[] = [
  {
    does: "refusedShare refuses that share of what can be refused",
    low: { refusedShare: 0 },
    high: { refusedShare: 0.5, fallbackShare: 0, delayShare: 0 },
    wanted: [[0, 0], [0.43, 0.57]],
    figure: ofRequests(({ refused }) => refused ? 1 : 0, isAsked),
  },
  {
    does: "otherAccountShare makes refused requests about what is not theirs",
    low: { refusedShare: 1, otherAccountShare: 0 },
    high: { refusedShare: 1, otherAccountShare: 1 },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(
      ({ refusedBy }) => refusedBy?.startsWith("account.") ? 1 : 0,
      ({ refused }) => refused === true,
    ),
  },
  {
    does: "twoIntentShare makes tasks with two writes",
    low: {
      twoIntentShare: 0,
      refusedShare: 0,
      delayShare: 0,
      intents: CHANGES,
    },
    high: {
      twoIntentShare: 1,
      refusedShare: 0,
      delayShare: 0,
      intents: CHANGES,
    },
    wanted: [[1, 1], [2, 2]],
    figure: writes,
  },
  {
    does: "delayShare makes compensations follow a change or a cancellation",
    low: {
      delayShare: 0,
      refusedShare: 0,
      twoIntentShare: 0,
      intents: only("certificate"),
    },
    high: {
      delayShare: 1,
      refusedShare: 0,
      twoIntentShare: 0,
      intents: only("certificate"),
    },
    wanted: [[1, 1], [2, 2]],
    figure: writes,
  },
  {
    does: "extraReservations adds rows that no task is about",
    low: { extraReservationsMin: 0, extraReservationsMax: 0 },
    high: { extraReservationsMin: 3, extraReservationsMax: 5 },
    wanted: [[0, 1.3], [3, 6]],
    figure: rowsPerTask,
  },
  {
    does: "reservationStatedShare decides who knows the reservation's id",
    low: { reservationStatedShare: 1, otherAccountShare: 0, intents: CHANGES },
    high: { reservationStatedShare: 0, otherAccountShare: 0, intents: CHANGES },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(({ trip }) => trip?.reservationId ? 0 : 1),
  },
  {
    does: "reservationStatedShare makes chains of reads longer",
    low: { reservationStatedShare: 1, intents: only("change_cabin") },
    high: { reservationStatedShare: 0, intents: only("change_cabin") },
    wanted: [[0.8, 1.3], [1.7, 2.2]],
    figure: chain,
  },
  {
    does: "cityNamesShare has airports looked up before flights are",
    low: { cityNamesShare: 0, refusedShare: 0, intents: only("book") },
    high: { cityNamesShare: 1, refusedShare: 0, intents: only("book") },
    wanted: [[1, 1.1], [1.7, 2]],
    figure: chain,
  },
  {
    does: "cityNamesShare names cities instead of airport codes",
    low: { cityNamesShare: 0 },
    high: { cityNamesShare: 1 },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(
      ({ trip }) => AIRPORTS.has(trip?.from ?? "") ? 0 : 1,
      isBooked,
    ),
  },
  {
    does: "detailsStatedShare hides details until they are asked for",
    low: { detailsStatedShare: 1, fallbackShare: 0 },
    high: { detailsStatedShare: 0, fallbackShare: 0 },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(
      ({ forthcoming }) => forthcoming === false ? 1 : 0,
      isAsked,
    ),
  },
  {
    does: "roundTripShare makes bookings lead back",
    low: { roundTripShare: 0, refusedShare: 0, intents: only("book") },
    high: { roundTripShare: 1, refusedShare: 0, intents: only("book") },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(({ trip }) => trip?.returnDate ? 1 : 0),
  },
  {
    does: "oneStopShare makes bookings of two flights each way",
    low: {
      oneStopShare: 0,
      roundTripShare: 0,
      refusedShare: 0,
      intents: only("book"),
    },
    high: {
      oneStopShare: 1,
      roundTripShare: 0,
      refusedShare: 0,
      intents: only("book"),
    },
    wanted: [[1, 1], [2, 2]],
    figure: ofTasks(({ actions }) => {
      const flights = actions.at(-1)?.arguments.get("flights");
      return Array.isArray(flights) ? flights.length : 0;
    }),
  },
  {
    does: "passengersMax lets several people fly",
    low: { passengersMax: 1, refusedShare: 0 },
    high: { passengersMax: 4, refusedShare: 0 },
    wanted: [[1, 1], [2, 3]],
    figure: ofRequests(({ trip }) => trip?.passengers?.length ?? 0, isBooked),
  },
  {
    does: "changeOfMindShare makes users want something else at first",
    low: { changeOfMindShare: 0 },
    high: {
      changeOfMindShare: 1,
      refusedShare: 0,
      intents: { ...CHANGES, book: 1 },
    },
    wanted: [[0, 0], [1, 1]],
    figure: ofRequests(({ before }) => before === undefined ? 0 : 1),
  },
  {
    does: "fallbackShare lets refused users ask for what can be done",
    low: { refusedShare: 1, fallbackShare: 0 },
    high: { refusedShare: 1, fallbackShare: 1 },
    wanted: [[0, 0], [0.4, 0.8]],
    figure: ofTasks(({ goal }) =>
      goal!.requests.some(({ fallback }) => fallback) ? 1 : 0
    ),
  },
  {
    does: "voices are drawn by weight",
    low: { voices: { terse: 0, chatty: 0, impatient: 0 } },
    high: { voices: { plain: 1, terse: 1, chatty: 1, impatient: 1 } },
    wanted: [[0, 0], [0.65, 0.85]],
    figure: ofTasks(({ goal }) => goal!.voice === undefined ? 0 : 1),
  },
  {
    does: "tasksPerUser lets tasks share a user",
    low: { tasksPerUser: 1 },
    high: { tasksPerUser: 3 },
    wanted: [[1, 1], [3, 3]],
    figure: (world) => {
      const users = world.tasks("train").map(({ userId }) => userId);
      return users.length / new Set(users).size;
    },
  },
  {
    does: "airports and flightsPerRoute make as many flights",
    low: { airports: 4, flightsPerRoute: 2 },
    high: { airports: 12, flightsPerRoute: 4 },
    wanted: [[24, 24], [528, 528]],
    figure: ({ database }) => [...database.ids("flights")].length,
  },
];

knobTests("generated() of an airline", {
  make: (options) =>
    generated(3, {
      trainTasks: 240,
      devTasks: 1,
      testTasks: 1,
      ...options,
    }, { domain: "airline" }),
  knobs,
});

Deno.test("generated() of an airline explains why options are impossible", async () => {
  await assert.rejects(
    generated(1, { intents: only() }, { domain: "airline" }),
    /intents: Every weight is 0; give at least one intent a positive weight/,
  );
  await assert.rejects(
    generated(1, {
      voices: { plain: 0, terse: 0, chatty: 0, impatient: 0 },
    }, { domain: "airline" }),
    /voices: Every weight is 0; give at least one voice a positive weight/,
  );
  await assert.rejects(
    generated(1, { extraReservationsMin: 4 }, { domain: "airline" }),
    /extraReservationsMax \(2\) is less than extraReservationsMin \(4\); raise/,
  );
  await assert.rejects(
    generated(1, { refusedShar: 1 } as AirlineOptionsInput, {
      domain: "airline",
    }),
    /unknown option "refusedShar"; did you mean "refusedShare"\?/,
  );
  await assert.rejects(
    generated(1, { airports: 4, tasksPerUser: 4 }, { domain: "airline" }),
    /may have 9 reservations, .* but 4 airports have only 6 routes; raise airports/,
  );
});

Deno.test("generated() of an airline has tasks of every intent in a small and in a crowded world", async () => {
  const cramped = {
    airports: 4,
    flightsPerRoute: 2,
    tasksPerUser: 2,
    refusedShare: 0.5,
    twoIntentShare: 1,
    oneStopShare: 1,
    delayShare: 1,
    roundTripShare: 0,
    changeOfMindShare: 1,
  };
  const crowded = {
    ...cramped,
    airports: 20,
    flightsPerRoute: 6,
    roundTripShare: 1,
    passengersMax: 4,
    extraReservationsMax: 6,
  };
  for (const options of [cramped, crowded]) {
    const size = { trainTasks: 40, devTasks: 4, testTasks: 4 };
    const world = await generated(5, { ...size, ...options }, {
      domain: "airline",
    });
    assert.equal(world.certificates.size, 48);
  }
});
