import assert from "node:assert/strict";
import fc from "fast-check";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { goldWrites } from "../../../env/diagnosis/decisive.ts";
import { diagnose } from "../../../env/diagnosis/diagnose.ts";
import type {
  Dataset,
  StopReason,
  Task,
  ToolAction,
  Turn,
} from "../../../env/types.ts";
import { smallDataset } from "../../support/retail_world.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

function call(name: string, args: Record<string, string | string[]>) {
  return { name, arguments: new Map(Object.entries(args)) };
}

function turnsOf(actions: readonly ToolAction[]): Turn[] {
  return actions.map((action, i) => ({
    action: { type: "tool", call: { id: `c${i}`, ...action } },
    observation: { source: "tool", content: "", done: false },
  }));
}

function say(content: string): Turn {
  return {
    action: { type: "respond", content },
    observation: { source: "user", content: "Yes", done: false },
  };
}

function ended(turns: readonly Turn[], stopReason: StopReason = "user_stop") {
  return { turns, stopReason };
}

function address(order: string, street: string) {
  return call("modify_pending_order_address", {
    order_id: order,
    address1: street,
    address2: "",
    city: "Ghent",
    state: "VOV",
    country: "BE",
    zip: "9000",
  });
}

const cancelA = call("cancel_pending_order", {
  order_id: "#A",
  reason: "no longer needed",
});
const cancelC = call("cancel_pending_order", {
  order_id: "#C",
  reason: "no longer needed",
});

/** Creates the small world with a single task, and returns both. */
function small(actions: readonly ToolAction[], outputs: string[] = []) {
  const dataset = smallDataset([{ actions, outputs }]);
  const task = dataset.tasks("test")[0];
  assert.ok(task !== undefined);
  return { dataset, task };
}

Deno.test("diagnose() names the write after which the gold state is out of reach", () => {
  const world = small([cancelA]);
  const episode = ended([say("Sure"), ...turnsOf([cancelC, cancelA])]);
  const { decisive, reward } = diagnose(episode, world);
  assert.equal(reward?.value, 0);
  assert.ok(decisive?.kind === "write");
  assert.equal(decisive.turn, 1);
  assert.equal(decisive.isCertain, true);
  assert.deepEqual(decisive.rows.map(({ id }) => id).sort(), ["#C", "ann"]);
});

Deno.test("diagnose() does not blame a write that can still be reverted", () => {
  const world = small([address("#A", "2 Oak")]);
  const wrong = address("#A", "9 Fir");
  const { decisive } = diagnose(ended(turnsOf([wrong])), world);
  assert.ok(decisive?.kind === "ending");
  assert.deepEqual(decisive.missing.map(({ name }) => name), [
    "modify_pending_order_address",
  ]);
  const fixed = ended(turnsOf([wrong, address("#A", "2 Oak")]));
  assert.equal(diagnose(fixed, world).decisive, null);
  const other = ended(
    turnsOf([address("#C", "9 Fir"), address("#A", "2 Oak")]),
  );
  assert.equal(
    diagnose(other, world).decisive?.kind,
    "ending",
    "an address that nobody asked to change can be set back",
  );
});

Deno.test("diagnose() blames a correct write that prevents another", () => {
  const items = call("modify_pending_order_items", {
    order_id: "#A",
    item_ids: ["101"],
    new_item_ids: ["102"],
    payment_method_id: "paypal_1",
  });
  const world = small([address("#A", "2 Oak"), items]);
  const { decisive } = diagnose(ended(turnsOf([items])), world);
  assert.ok(decisive?.kind === "write");
  assert.equal(decisive.action.name, "modify_pending_order_items");
  assert.deepEqual(decisive.rows[0]?.fields.map(({ path }) => path), [
    "address.address1",
  ]);
});

Deno.test("diagnose() names missing outputs and missing writes", () => {
  const told = small([cancelA], ["20.2"]);
  const silent = diagnose(ended(turnsOf([cancelA])), told);
  assert.deepEqual(silent.decisive, {
    kind: "untold",
    turn: 0,
    outputs: ["20.2"],
  });
  const left = diagnose(ended([say("Bye")]), told);
  assert.ok(left.decisive?.kind === "ending");
  assert.deepEqual(left.decisive.missing.map(({ name }) => name), [
    "cancel_pending_order",
  ]);
});

Deno.test("diagnose() names the party at fault, by rule", () => {
  const world = small([cancelA]);
  const nothing = ended([say("Bye")]);
  function by(
    episode: typeof nothing,
    more: Partial<Parameters<typeof diagnose>[1]> = {},
  ) {
    return diagnose(episode, { ...world, ...more }).fault?.by;
  }
  const kind = { kind: "timeout", source: "user", message: "late" } as const;
  const early = { fault: "early_stop", message: 1, evidence: "bye" } as const;
  assert.equal(by(ended(turnsOf([cancelA]))), undefined);
  assert.equal(by(ended([], "failed"), { failure: kind }), "infrastructure");
  assert.equal(by(nothing, { findings: [early] }), "user");
  assert.equal(by(ended(turnsOf([cancelC])), { findings: [early] }), "unknown");
  assert.equal(by(nothing, { findings: [] }), "agent");
  assert.equal(by(nothing), "unknown", "this user was not tracked");
  assert.equal(by(ended([say("…")], "parse_errors")), "agent");
  assert.equal(by(ended(turnsOf([]), "transfer")), "agent");
  const endless = { fault: "endless", message: 9, evidence: "…" } as const;
  const long = ended(turnsOf([cancelA]), "max_turns");
  assert.equal(diagnose(long, world).decisive?.kind, "cut_off");
  assert.equal(diagnose(long, world).reward?.value, 0);
  assert.equal(by(long, { findings: [] }), "agent");
  assert.equal(by(long, { findings: [endless] }), "user");
  assert.equal(by(nothing, small([cancelA], ["1,000"])), "gold");
  const broken = call("cancel_pending_order", {
    order_id: "#A",
    reason: "a whim",
  });
  assert.equal(by(ended(turnsOf([cancelA])), small([broken])), "gold");
  const invented = {
    fault: "invention",
    message: 0,
    evidence: "order #C",
  } as const;
  assert.equal(by(ended(turnsOf([cancelC])), { findings: [invented] }), "user");
});

/**
 * Checks that a gold write is never diagnosed as the decisive fault. Plays the gold writes of each task, first all of
 * them and then each shorter prefix. For a prefix, the decisive fault must be the early ending.
 * @returns The number of tasks that have gold writes.
 */
function checkPrefixes(dataset: Dataset, tasks: readonly Task[]): number {
  let checked = 0;
  for (const task of tasks) {
    const writes = goldWrites(dataset, task);
    if (writes.length === 0) continue;
    checked++;
    const whole = ended(turnsOf(writes));
    assert.notEqual(diagnose(whole, { dataset, task }).decisive?.kind, "write");
    for (const length of writes.keys()) {
      const part = ended(turnsOf(writes.slice(0, length)));
      const { decisive } = diagnose(part, { dataset, task });
      assert.equal(decisive?.kind, "ending", `${task.id}: a part of the gold`);
    }
  }
  return checked;
}

Deno.test("diagnose() never blames a prefix of the gold actions of generated tasks", async () => {
  const dataset = await generated(3, { twoIntentShare: 0.5, testTasks: 60 });
  assert.ok(checkPrefixes(dataset, dataset.tasks("test")) > 30);
});

for (const name of ["retail", "airline"] as const) {
  Deno.test({
    name: `diagnose() never blames a prefix of the gold actions: τ-${name}`,
    ignore: NO_TAU_BENCH,
    fn: async () => {
      const dataset = await loadTauBench(TAU_BENCH, name);
      assert.ok(checkPrefixes(dataset, dataset.tasks("test")) > 25);
    },
  });
}

Deno.test("diagnose() blames the first wrong write, regardless of the calls before and after it", () => {
  const world = small([cancelA, address("#A", "2 Oak")].reverse());
  const good = [address("#A", "2 Oak"), cancelA];
  fc.assert(fc.property(fc.nat(2), fc.boolean(), (at, twice) => {
    const actions = [...good];
    actions.splice(at, 0, cancelC);
    if (twice) actions.push(cancelC); // returns an error, changes nothing
    const { decisive, writes } = diagnose(ended(turnsOf(actions)), world);
    assert.ok(decisive?.kind === "write");
    assert.equal(decisive.turn, at);
    assert.equal(writes.length, 3);
  }));
});
