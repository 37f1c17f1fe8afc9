import assert from "node:assert/strict";
import { callTool } from "../../../env/call_tool.ts";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { createDatabase, type Database } from "../../../env/database.ts";
import {
  type DomainName,
  domainNamed,
  domainOf,
} from "../../../env/domains/registry.ts";
import { partOf } from "../../../env/domain.ts";
import { policyViolations } from "../../../env/policy/oracle.ts";
import { fromPlain, type JsonObject } from "../../../env/python/python_json.ts";
import type { Dataset, ToolAction } from "../../../env/types.ts";
import { smallDatabase } from "../../support/retail_world.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

function call(name: string, args: Record<string, unknown>): ToolAction {
  return { name, arguments: fromPlain(args) as JsonObject };
}

/**
 * A test case: the tool's name and arguments, the policy clauses that the call breaks, and optionally the id of the
 * user being served.
 */
type Case = readonly [
  string,
  Record<string, unknown>,
  readonly string[],
  string?,
];

function check(
  domain: DomainName,
  { cases, database, earlier = [] }: {
    cases: readonly Case[];
    database: Database;
    earlier?: readonly ToolAction[];
  },
) {
  const seen = new Set<string>();
  for (const [name, args, broken, who] of cases) {
    const found = policyViolations(domainNamed(domain), {
      action: call(name, args),
      database: database.fork(),
      userId: who ?? "ann",
      earlier,
    });
    assert.deepEqual(
      found.map(({ clause }) => clause),
      broken,
      `${name} ${JSON.stringify(args)}: ${JSON.stringify(found)}`,
    );
    for (const { clause, evidence } of found) {
      seen.add(clause);
      assert.notEqual(evidence, "");
    }
  }
  return seen;
}

function clausesOf(name: DomainName) {
  return partOf(domainNamed(name), "policy").clauses;
}

const swap = { item_ids: ["101"], new_item_ids: ["102"] };
const paypal = { payment_method_id: "paypal_1" };
const gift = { payment_method_id: "gift_card_1" };

const retailCases: readonly Case[] = [
  ["cancel_pending_order", { order_id: "#A", reason: "no longer needed" }, []],
  ["cancel_pending_order", { order_id: "#A", reason: "why not" }, [
    "cancel.reason",
  ]],
  ["cancel_pending_order", { order_id: "#B", reason: "no longer needed" }, [
    "order.pending",
  ]],
  ["cancel_pending_order", { order_id: "#A", reason: "no longer needed" }, [
    "account.own_order",
  ], "bo"],
  ["modify_pending_order_address", { order_id: "#A" }, []],
  ["modify_user_address", { user_id: "ann" }, []],
  ["modify_user_address", { user_id: "bo" }, ["account.own_profile"]],
  ["modify_pending_order_payment", { order_id: "#C", ...paypal }, []],
  ["modify_pending_order_payment", { order_id: "#A", ...paypal }, [
    "payment.other",
  ]],
  ["modify_pending_order_payment", { order_id: "#A", ...gift }, [
    "payment.covers_total",
  ]],
  ["modify_pending_order_payment", {
    order_id: "#A",
    payment_method_id: "credit_card_9",
  }, ["payment.own"]],
  ["modify_pending_order_items", { order_id: "#A", ...swap, ...paypal }, []],
  ["modify_pending_order_items", { order_id: "#A", ...swap, ...gift }, [
    "payment.covers_difference",
  ]],
  ["modify_pending_order_items", {
    order_id: "#A",
    item_ids: ["101"],
    new_item_ids: ["101"],
    ...paypal,
  }, ["items.other_variant"]],
  ["modify_pending_order_items", {
    order_id: "#A",
    item_ids: ["101"],
    new_item_ids: ["103"],
    ...paypal,
  }, ["items.in_stock"]],
  ["modify_pending_order_items", {
    order_id: "#A",
    item_ids: ["101"],
    new_item_ids: ["999"],
    ...paypal,
  }, ["items.same_product", "items.in_stock"]],
  ["modify_pending_order_items", {
    order_id: "#A",
    item_ids: [],
    new_item_ids: [],
    ...paypal,
  }, ["items.some"]],
  [
    "exchange_delivered_order_items",
    { order_id: "#B", ...swap, ...paypal },
    [],
  ],
  ["exchange_delivered_order_items", { order_id: "#A", ...swap, ...paypal }, [
    "order.delivered",
  ]],
  ["return_delivered_order_items", {
    order_id: "#B",
    item_ids: ["101", "101"],
    ...paypal,
  }, []],
  ["return_delivered_order_items", {
    order_id: "#B",
    item_ids: ["101"],
    ...gift,
  }, []],
  ["return_delivered_order_items", {
    order_id: "#B",
    item_ids: ["101", "101", "101"],
    ...paypal,
  }, ["items.of_order"]],
];

Deno.test("policyViolations() covers every retail clause", () => {
  const seen = check("retail", {
    cases: retailCases,
    database: smallDatabase(),
  });
  // These are tested separately, with other rows: two payments in an order, another card in the profile.
  for (const id of ["payment.once", "return.refund_to"]) seen.add(id);
  assert.deepEqual(
    clausesOf("retail").map(({ id }) => id).filter((id) => !seen.has(id)),
    [],
    "every clause is broken by some case",
  );
});

Deno.test("policyViolations() requires a single payment, and a refund to the original method", () => {
  const database = smallDatabase();
  const domain = domainNamed("retail");
  const again = call("modify_pending_order_payment", {
    order_id: "#C",
    ...paypal,
  });
  assert.ok(!callTool(domain, database, again).startsWith("Error"));
  const once = { action: again, database, userId: "ann" };
  const broken = policyViolations(domainNamed("retail"), once).map((
    { clause },
  ) => clause);
  assert.ok(broken.includes("payment.once"));
  const user = database.edit("users", "ann");
  (user?.get("payment_methods") as JsonObject).set(
    "credit_card_1",
    fromPlain({ source: "credit_card", id: "credit_card_1" }),
  );
  const action = call("return_delivered_order_items", {
    order_id: "#B",
    item_ids: ["101"],
    payment_method_id: "credit_card_1",
  });
  assert.deepEqual(
    policyViolations(domainNamed("retail"), { action, database, userId: "ann" })
      .map((
        { clause },
      ) => clause),
    ["return.refund_to"],
  );
});

Deno.test("policyViolations() counts a clause that it cannot check as broken, and allows reads", () => {
  const database = smallDatabase();
  const at = { database, userId: "ann" };
  const lost = call("cancel_pending_order", { order_id: "#X", reason: "" });
  const found = policyViolations(domainNamed("retail"), {
    action: lost,
    ...at,
  });
  assert.match(found[0]?.evidence ?? "", /cannot be checked/);
  const read = call("get_order_details", { order_id: "#X" });
  assert.deepEqual(
    policyViolations(domainNamed("retail"), { action: read, ...at }),
    [],
  );
});

const person = { first_name: "Al", last_name: "Roe", dob: "1980-01-01" };
const leg = { flight_number: "F1", date: "2024-05-20" };
const back = { flight_number: "F2", date: "2024-05-22" };

function trip(more: Record<string, unknown> = {}) {
  return {
    user_id: "ann",
    origin: "AAA",
    destination: "BBB",
    flight_type: "round_trip",
    cabin: "economy",
    flights: [leg, back].map((one) => ({ ...one, price: 10 })),
    passengers: [person],
    payment_history: [],
    created_at: "2024-05-01T00:00:00",
    total_baggages: 2,
    nonfree_baggages: 0,
    insurance: "no",
    ...more,
  };
}

/**
 * Creates an airline with three flights, a user with payment methods of every kind, and reservations that the policy
 * treats differently.
 */
function airlineDatabase(): Database {
  const seats = { basic_economy: 1, economy: 2, business: 2 };
  const open = { status: "available", available_seats: seats, prices: seats };
  const flights = {
    F1: flight("AAA", "BBB", {
      "2024-05-20": open,
      "2024-05-14": { status: "landed" },
      "2024-05-16": { status: "cancelled" },
      "2024-05-15": { status: "delayed" },
    }),
    F2: flight("BBB", "AAA", { "2024-05-22": open }),
    F3: flight("AAA", "CCC", { "2024-05-20": open }),
  };
  const cards = ["g1", "g2", "g3", "g4"].map((id) => [
    id,
    { source: "gift_card", id, amount: 100 },
  ]);
  const ann = {
    membership: "silver",
    payment_methods: {
      ...Object.fromEntries(cards),
      c1: { source: "credit_card", id: "c1" },
      v1: { source: "certificate", id: "v1", amount: 50 },
      v2: { source: "certificate", id: "v2", amount: 50 },
    },
    reservations: ["R", "BASIC", "LATE", "GONE"],
  };
  const at = (date: string) => [{ flight_number: "F1", date, price: 10 }];
  const reservations = {
    R: trip(),
    BASIC: trip({ cabin: "basic_economy" }),
    FLOWN: trip({ cabin: "business", flights: at("2024-05-14") }),
    GONE: trip({ flights: at("2024-05-16") }),
    LATE: trip({ reservation_id: "LATE", flights: at("2024-05-15") }),
    NEW: trip({ created_at: "2024-05-15T10:00:00" }),
    INSURED: trip({ insurance: "yes" }),
    DEAD: trip({ status: "cancelled" }),
  };
  return createDatabase(
    new Map([
      ["flights", rows(flights)],
      ["reservations", rows(reservations)],
      ["users", rows({ ann })],
    ]),
  );
}

function flight(origin: string, destination: string, dates: unknown) {
  return {
    origin,
    destination,
    scheduled_departure_time_est: "10:00:00",
    dates,
  };
}

function rows(all: Record<string, unknown>): Map<string, JsonObject> {
  return fromPlain(all) as Map<string, JsonObject>;
}

function booking(more: Record<string, unknown> = {}) {
  return {
    ...trip(),
    flights: [leg, back],
    payment_methods: [{ payment_id: "c1", amount: 4 }],
    ...more,
  };
}

function paidBy(...ids: string[]) {
  return booking({
    payment_methods: ids.map((id) => ({ payment_id: id, amount: 1 })),
  });
}

function flights(id: string, legs: unknown, more: object = {}) {
  return {
    reservation_id: id,
    cabin: "economy",
    flights: legs,
    payment_id: "c1",
    ...more,
  };
}

const bags = { total_baggages: 3, nonfree_baggages: 1, payment_id: "c1" };

const airlineCases: readonly Case[] = [
  ["book_reservation", booking(), []],
  ["book_reservation", booking({ user_id: "bo" }), ["account.own_profile"]],
  ["book_reservation", booking({ passengers: [] }), [
    "book.passengers",
    "bags.paid",
  ]],
  ["book_reservation", booking({ flights: [leg] }), ["book.flights"]],
  ["book_reservation", booking({ passengers: [person, person, person] }), [
    "flights.available",
  ]],
  ["book_reservation", paidBy("v1", "v2"), ["book.payment"]],
  ["book_reservation", paidBy("g1", "g2", "g3", "g4"), ["book.payment"]],
  ["book_reservation", paidBy("g1", "g2", "g3", "c1", "v1"), []],
  ["book_reservation", booking({ total_baggages: 3 }), ["bags.paid"]],
  ["update_reservation_flights", flights("R", [leg, back]), []],
  ["update_reservation_flights", flights("BASIC", [leg, back]), []],
  ["update_reservation_flights", flights("BASIC", [leg]), [
    "change.basic_economy",
    "change.route",
  ]],
  ["update_reservation_flights", flights("R", [leg, back]), [
    "account.own_reservation",
    "change.payment",
  ], "bo"],
  ["update_reservation_flights", flights("DEAD", [leg, back]), [
    "change.not_cancelled",
  ]],
  [
    "update_reservation_flights",
    flights("R", [leg, back], { payment_id: "v1" }),
    ["change.payment"],
  ],
  ["update_reservation_baggages", { reservation_id: "R", ...bags }, []],
  ["update_reservation_baggages", {
    reservation_id: "R",
    ...bags,
    total_baggages: 1,
    nonfree_baggages: 0,
  }, ["bags.not_fewer"]],
  ["update_reservation_passengers", {
    reservation_id: "R",
    passengers: [person],
  }, []],
  ["update_reservation_passengers", {
    reservation_id: "R",
    passengers: [person, person],
  }, ["passengers.number"]],
  ["cancel_reservation", { reservation_id: "R" }, ["cancel.allowed"]],
  ["cancel_reservation", { reservation_id: "NEW" }, []],
  ["cancel_reservation", { reservation_id: "INSURED" }, []],
  ["cancel_reservation", { reservation_id: "GONE" }, []],
  ["cancel_reservation", { reservation_id: "FLOWN" }, ["cancel.not_flown"]],
  ["send_certificate", { user_id: "ann", amount: 100 }, []],
  ["send_certificate", { user_id: "ann", amount: 50 }, [
    "certificate.eligible",
  ]],
];

Deno.test("policyViolations() covers every airline clause", () => {
  const database = airlineDatabase();
  // The initial rows have no profile for "bo".
  database.put("users", "bo", rows({ bo: { payment_methods: {} } }).get("bo")!);
  const seen = check("airline", { cases: airlineCases, database });
  assert.deepEqual(
    clausesOf("airline").map(({ id }) => id).filter((id) => !seen.has(id)),
    [],
  );
});

Deno.test("policyViolations() considers the cabin that was paid for, and a delay that was already compensated", () => {
  const database = airlineDatabase();
  const upgrade = call("update_reservation_flights", {
    ...flights("BASIC", [leg, back]),
  });
  const cancelled = call("cancel_reservation", { reservation_id: "LATE" });
  check("airline", {
    database,
    earlier: [upgrade, cancelled],
    cases: [
      // A silver member has two free bags in economy, but only one in basic economy.
      ["update_reservation_baggages", { reservation_id: "BASIC", ...bags }, []],
      ["send_certificate", { user_id: "ann", amount: 50 }, []],
    ],
  });
});

/**
 * Returns the policy clauses that a dataset's gold writes break according to the oracle, each preceded by the id of its
 * task. Ignores actions that change nothing, such as writes that the tools reject.
 */
function forbidden(dataset: Dataset) {
  const domain = domainOf(dataset);
  return dataset.splits.flatMap((split) => dataset.tasks(split)).flatMap(
    (task) => {
      const database = dataset.database.fork();
      const earlier: ToolAction[] = [];
      return task.actions.flatMap((action) => {
        const before = database.fork();
        callTool(domain, database, action);
        if (database.diff(before).length === 0) return [];
        const situation = { action, database: before, userId: task.userId };
        const found = policyViolations(domain, { ...situation, earlier });
        earlier.push(action);
        return found.map(({ clause }) => `${task.id} ${clause}`);
      });
    },
  );
}

Deno.test("policyViolations() allows all gold writes of generated tasks", async () => {
  const dataset = await generated(7, { trainTasks: 300, twoIntentShare: 0.4 });
  assert.deepEqual(forbidden(dataset), []);
});

Deno.test({
  name: "policyViolations() finds violations in τ-bench's gold",
  ignore: NO_TAU_BENCH,
  fn: async () => {
    const airline = await loadTauBench(TAU_BENCH, "airline");
    assert.deepEqual(forbidden(airline), [
      "airline/test/10 cancel.allowed",
      "airline/test/16 certificate.eligible",
      "airline/test/19 change.route",
      "airline/test/19 bags.paid",
      "airline/test/23 bags.paid",
      "airline/test/26 cancel.not_flown",
      "airline/test/27 cancel.not_flown",
      "airline/test/34 cancel.allowed",
      "airline/test/45 certificate.eligible",
      "airline/test/46 certificate.eligible",
    ]);
    const retail = await loadTauBench(TAU_BENCH, "retail");
    const test = forbidden(retail).filter((one) => one.includes("/test/"));
    assert.deepEqual(test, [
      "retail/test/18 items.other_variant",
      "retail/test/64 account.own_order",
      "retail/test/64 payment.own",
      "retail/test/91 items.other_variant",
      "retail/test/108 items.other_variant",
    ]);
  },
});
