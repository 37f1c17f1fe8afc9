import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { tau3Bench } from "../../../env/benchmarks/tau3/tau3_bench.ts";
import { diagnose } from "../../../env/diagnosis/diagnose.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Dataset, Task, ToolAction, Turn } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../../support/tau3_bench.ts";
import { TOY_TASK, writeToyBundle } from "../../support/tau3_toy.ts";
import { inTempDir } from "../../support/temp_dir.ts";

function calls(actions: readonly ToolAction[]): Turn[] {
  return actions.map((action, i) => ({
    action: { type: "tool", call: { id: `c${i}`, ...action } },
    observation: { source: "tool", content: "", done: false },
  }));
}

function call(name: string, args: Record<string, string>): ToolAction {
  return { name, arguments: new Map(Object.entries(args)) };
}

function replayOf(dataset: Dataset, task: Task, turns: readonly Turn[]) {
  const replayed = dataset.rules?.replay(task, turns);
  assert(replayed !== undefined);
  return replayed;
}

Deno.test({
  name:
    "diagnose() replays telecom's set-up and phone: a solved episode is right, a truncated one lists its missing actions",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const dataset = await tau3Bench(TAU3_BENCH, { domain: "telecom" });
    const task = dataset.tasks("small")[0]!;
    const { turns } = await rollout({
      dataset,
      task,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      seed: 1,
      maxTurns: 200,
    });
    const whole = diagnose({ turns, stopReason: "user_stop" }, {
      dataset,
      task,
    });
    assert.deepEqual([whole.reward?.value, whole.decisive, whole.fault], [
      1,
      null,
      null,
    ]);
    const { writes } = replayOf(dataset, task, turns);
    const last = writes.at(-1)!;
    assert(writes.some(({ action }) => action.by === "user"));
    const cut = diagnose({
      turns: turns.slice(0, last.turn),
      stopReason: "user_stop",
    }, { dataset, task });
    const { decisive } = cut;
    assert(decisive?.kind === "ending", decisive?.kind);
    assert.deepEqual(
      [...new Set(decisive.unmet?.map(({ part }) => part))],
      ["ENV_ASSERTION"],
    );
    assert(decisive.missing.some(({ name }) => name === last.action.name));
    assert.equal(cut.fault?.by, "unknown");
  },
});

Deno.test({
  name:
    "diagnose() finds the write of an airline episode after which its databases can no longer become right",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const dataset = await tau3Bench(TAU3_BENCH, { domain: "airline" });
    const task = dataset.tasks("base").find(({ actions }) =>
      actions.some(({ name }) => name === "cancel_reservation")
    )!;
    const meant = task.actions.map((action) =>
      action.arguments.get("reservation_id")
    );
    const other = [...dataset.database.ids("reservations")].find((id) =>
      !meant.includes(id)
    )!;
    const wrong = call("cancel_reservation", { reservation_id: other });
    const turns = calls([...task.actions.slice(0, 1), wrong, ...task.actions]);
    const { decisive, reward } = diagnose(
      { turns, stopReason: "user_stop" },
      { dataset, task },
    );
    assert(decisive?.kind === "write", decisive?.kind);
    assert.deepEqual([decisive.turn, decisive.isCertain], [1, true]);
    assert.equal(decisive.action.arguments.get("reservation_id"), other);
    assert.deepEqual(decisive.rows.map(({ id }) => id), [other]);
    assert.deepEqual(reward?.differences.map(({ id }) => id), [other]);
  },
});

const OVER: Turn["observation"] = {
  source: "user",
  content: "###STOP###",
  done: true,
  end: "user_stop",
};

Deno.test("diagnose() distinguishes missing outputs from missing writes by the rules' checks", () =>
  inTempDir(async (dir) => {
    const { evaluation_criteria } = TOY_TASK;
    const basis = ["ENV_ASSERTION", "ACTION", "COMMUNICATE"];
    await writeToyBundle(dir, {
      tasks: [{
        ...TOY_TASK,
        evaluation_criteria: { ...evaluation_criteria, reward_basis: basis },
      }],
    });
    const dataset = await tau3Bench(dir, { domain: "toy" });
    const task = dataset.tasks("base")[0]!;
    const press = { id: "p", ...call("press", {}) };
    const sold = calls([call("sell", { item: "cup" })]);
    const lit: Turn = {
      action: { type: "respond", content: "Press, please." },
      observation: {
        ...OVER,
        userCalls: [{ call: press, content: "It is lit.", error: false }],
      },
    };
    const untold = diagnose(
      { turns: [...sold, lit], stopReason: "user_stop" },
      { dataset, task },
    );
    assert.deepEqual(untold.decisive, {
      kind: "untold",
      turn: 1,
      outputs: ["1000"],
    });
    const undone = diagnose({ turns: sold, stopReason: "user_stop" }, {
      dataset,
      task,
    });
    assert(undone.decisive?.kind === "ending");
    assert.deepEqual(
      undone.decisive.missing.map(({ name, by }) => [name, by]),
      [["press", "user"]],
    );
  }));

Deno.test("diagnose() blames nobody for checks that only a judge can decide", () =>
  inTempDir(async (dir) => {
    await writeToyBundle(dir);
    const dataset = await tau3Bench(dir, { domain: "toy" });
    const { fault, decisive } = diagnose({ turns: [], stopReason: "failed" }, {
      dataset,
      task: dataset.tasks("base")[0]!,
      failure: { kind: "not_judged", source: "environment", message: "No." },
    });
    assert.equal(decisive, null);
    assert.equal(fault?.by, "unknown");
    assert.match(fault.rule, /^not judged/);
  }));
