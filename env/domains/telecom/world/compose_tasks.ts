/**
 * Composes telecom tasks: draws accounts, combines several faults of phones and lines, and keeps the tasks that pass
 * certification. Tasks and databases have the layout of the benchmark's files, so that code for the benchmark can read
 * them.
 */

import { ConfigError } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { createRng, type Rng } from "../../../random.ts";
import { loadTelecom } from "../databases.ts";
import type { Complaint } from "../user/story.ts";
import { faultOf, goldOf, type TaskPlan } from "./certify_task.ts";
import { type Caller, drawAccounts } from "./draw_accounts.ts";
import {
  type Fault,
  FAULT_KINDS,
  type FaultPlace,
  FAULTS,
  type PlannedCall,
} from "./phone_faults.ts";
import { type ComposedSplit, SplitAssigner } from "./split_assigner.ts";
import { taskObject, WORKS } from "./task_object.ts";
import { PERSONAS } from "./task_words.ts";

/** The sides whose tools fix the problem: only the user's, only the agent's, both sides', or any. */
export type Actors = "any" | "user" | "agent" | "both";

/** Options for {@linkcode composeTelecom}. */
export interface ComposeOptions {
  readonly seed: number;
  readonly count: number;
  /** The minimum and maximum number of faults per task. Default: 1 and 4. */
  readonly faults?: readonly [number, number];
  /** The kinds of faults to use. Default: all. */
  readonly kinds?: readonly string[];
  /** The complaints to use. Default: all. */
  readonly complaints?: readonly Complaint[];
  /** The sides that must act in solvable tasks. Default: `any`. */
  readonly actors?: Actors;
  /** The approximate share of tasks in which the user has to be transferred, from 0 to 1. Default: 0.1. */
  readonly hopeless?: number;
  /** The maximum number of lines per customer, from 1 to 3. Default: 3. */
  readonly linesMax?: number;
  /** Whether users have personas. Default: false. */
  readonly personas?: boolean;
  /**
   * The approximate share of tasks in each of the dev and test splits; a share above 0.45 counts as 0.45. Default: 0.1.
   */
  readonly testShare?: number;
}

/** A composed task, with its plan and gold actions. */
export interface ComposedTask {
  /** The task in the format of `tasks.json`. */
  readonly task: JsonObject;
  readonly plan: TaskPlan;
  readonly gold: readonly PlannedCall[];
  /** The names of the task's faults. */
  readonly faults: readonly string[];
  /**
   * The task's split. No other split contains a task with the same combination of faults, or with the same customer.
   */
  readonly split: ComposedSplit;
}

/** A composed world: the agent's database and the tasks. */
export interface ComposedWorld {
  /**
   * The agent's database in the format of the benchmark's file. The user's database is not included, since it is always
   * the default phone.
   */
  readonly agent: JsonObject;
  readonly tasks: readonly ComposedTask[];
}

/** The approximate number of tasks per customer. */
const TASKS_PER_CUSTOMER = 3;

/** The minimum number of customers: one for each split. */
const MIN_CUSTOMERS = 3;

/** The number of failed draws per task after which the options are rejected. */
const MAX_DRAWS = 500;

/**
 * Composes a world of accounts and tasks.
 * @throws {ConfigError} If no task that fits the options could be drawn.
 */
export function composeTelecom(options: ComposeOptions): ComposedWorld {
  const { seed, count, linesMax = 3, testShare = 0.1 } = options;
  const { agent, callers } = drawAccounts(
    createRng(seed, "telecom", "accounts"),
    {
      customers: Math.max(MIN_CUSTOMERS, Math.ceil(count / TASKS_PER_CUSTOMER)),
      linesMax,
    },
  );
  const { agent: account, user } = loadTelecom({ agent });
  if (user === undefined) {
    throw new TypeError("loadTelecom() returned no database for the user");
  }
  const databases = { agent: account, user };
  const customers = new SplitAssigner(testShare);
  const callersOf = Map.groupBy(
    callers,
    ({ customerId }) => customers.add(customerId),
  );
  const combinations = new SplitAssigner(testShare);
  const tasks = Array.from({ length: count }, (_, index) => {
    const rng = createRng(seed, "telecom", `task ${index}`);
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      const drawn = drawTask(rng, {
        index,
        callersOf,
        combinations,
        databases,
        options,
      });
      if (drawn !== undefined) return drawn;
    }
    throw new ConfigError(
      `No telecom task fits the options ${JSON.stringify(options)}`,
      { hint: "allow more faults, kinds of faults, complaints or actors" },
    );
  });
  return { agent, tasks };
}

interface Drawing {
  readonly index: number;
  readonly callersOf: ReadonlyMap<ComposedSplit, readonly Caller[]>;
  /** Assigns combinations of faults to splits. */
  readonly combinations: SplitAssigner;
  readonly databases: TaskPlan["databases"];
  readonly options: ComposeOptions;
}

/** Draws a task, or returns `undefined` if the draw fails. */
function drawTask(
  rng: Rng,
  { index, callersOf, combinations, databases, options }: Drawing,
): ComposedTask | undefined {
  const { complaints = ["service", "data", "mms"], hopeless = 0.1 } = options;
  const complaint = rng.pick(complaints);
  const wantsHopeless = rng.next() < hopeless;
  const faults = drawFaults(rng, { ...options, complaint });
  const isHopeless = faults.some((fault) => fault.fixes === undefined);
  if (faults.length === 0 || isHopeless !== wantsHopeless) return undefined;
  const names = faults.map(({ name }) => name);
  const combination = names.join("|");
  const caller = rng.pick(callersOf.get(combinations.of(combination)) ?? []);
  const place = placeOf(rng, { index, caller, faults });
  const plan = planOf({ complaint, faults, caller, place, databases });
  const gold = goldOf(plan);
  if (faultOf(plan, gold) !== null) return undefined;
  if (!isHopeless && !isBy(gold, options.actors ?? "any")) return undefined;
  const persona = options.personas ? rng.pick(Object.keys(PERSONAS)) : "None";
  const task = taskObject({
    id: `[${complaint}]${combination}[PERSONA:${persona}]/${index}`,
    persona,
    complaint,
    caller,
    where: faults.some(({ kind }) => kind === "roaming")
      ? `abroad in ${rng.pick(COUNTRIES)}`
      : "at home",
    plan,
    gold,
  });
  return {
    task,
    plan,
    gold,
    faults: names,
    split: combinations.add(combination),
  };
}

const COUNTRIES = ["Spain", "Japan", "Brazil", "Canada", "Norway", "Kenya"];

/**
 * Draws faults of different kinds that cause the complaint, in the order in which they are set up. Returns an empty
 * list if there are too few such faults.
 */
function drawFaults(
  rng: Rng,
  { complaint, faults = [1, 4], kinds = FAULT_KINDS }:
    & Pick<ComposeOptions, "faults" | "kinds">
    & { readonly complaint: Complaint },
): readonly Fault[] {
  const [least, most] = faults;
  const count = least + rng.int(most - least + 1);
  const drawn: Fault[] = [];
  const able = FAULTS.filter(({ kind, breaks }) =>
    kinds.includes(kind) && breaks.includes(complaint)
  );
  for (const fault of rng.shuffle(able)) {
    if (drawn.length === count) break;
    if (drawn.every(({ kind }) => kind !== fault.kind)) drawn.push(fault);
  }
  return drawn.length < least
    ? []
    : FAULTS.filter((fault) => drawn.includes(fault));
}

function placeOf(
  rng: Rng,
  { index, caller, faults }: {
    readonly index: number;
    readonly caller: Caller;
    readonly faults: readonly Fault[];
  },
): FaultPlace {
  const buysNone = faults.some((fault) =>
    fault.kind === "usage" && fault.fixes === undefined
  );
  return {
    customerId: caller.customerId,
    lineId: caller.lineId,
    limitGb: caller.limitGb,
    refuelGb: buysNone ? 0 : rng.pick([0.5, 1, 1.5, 2]),
    billId: `B${900000 + index}`,
    oldMode: faults.some(({ breaks }) => breaks.includes("data")) &&
        rng.int(2) === 1
      ? "3g_only"
      : "2g_only",
  };
}

function planOf(
  { complaint, faults, caller, place, databases }: {
    readonly complaint: Complaint;
    readonly faults: readonly Fault[];
    readonly caller: Caller;
    readonly place: FaultPlace;
    readonly databases: TaskPlan["databases"];
  },
): TaskPlan {
  const isHopeless = faults.some((fault) => fault.fixes === undefined);
  return {
    databases,
    setUp: [
      {
        actor: "user",
        name: "set_user_info",
        args: { name: caller.name, phone_number: caller.phone },
      },
      ...faults.flatMap((fault) => fault.setUp(place)),
      { actor: "user", name: "simulate_network_search", args: {} },
    ],
    fixes: inOrder(faults.flatMap((fault) => fault.fixes?.(place) ?? [])),
    works: [
      ...WORKS[complaint],
      ...faults.flatMap((fault) => fault.checks?.(place) ?? []),
    ],
    isHopeless,
    agreedGb: place.refuelGb,
  };
}

/** Returns the fixes without duplicates, in an order in which all of them take effect. */
function inOrder(fixes: readonly PlannedCall[]): readonly PlannedCall[] {
  const byText = new Map(fixes.map((fix) => [textOf(fix), fix]));
  return [...byText.values()].toSorted((a, b) => rank(a) - rank(b));
}

function textOf({ name, args }: PlannedCall): string {
  return JSON.stringify([name, ...Object.values(args)]);
}

/**
 * Returns the sort rank of a fix. Payments and the agent's fixes come first: they make the line usable, so that the
 * phone's later search for a network succeeds. A restart comes last because it applies settings.
 */
function rank({ actor, name }: PlannedCall): number {
  if (name === "make_payment") return 1;
  if (actor === "assistant") return name === "send_payment_request" ? 0 : 2;
  return name === "reboot_device" ? 4 : 3;
}

function isBy(gold: readonly PlannedCall[], actors: Actors): boolean {
  const [users, agents] = ["user", "assistant"].map((actor) =>
    gold.some((call) => call.actor === actor)
  );
  switch (actors) {
    case "any":
      return true;
    case "user":
      return !agents;
    case "agent":
      return !users;
    case "both":
      return users === true && agents === true;
  }
}
