import assert from "node:assert/strict";
import fc from "fast-check";
import { audit } from "../../../env/audit/audit.ts";
import { duplicates } from "../../../env/audit/duplicates.ts";
import { isWrite } from "../../../env/audit/finding.ts";
import { replayGold } from "../../../env/audit/gold_replay.ts";
import { isErrorAnswer } from "../../../env/call_tool.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { rows, text, texts } from "../../../env/domains/shared/read_row.ts";
import { firstPerson } from "../../../env/domains/shared/user/first_person.ts";
import {
  type RowOptionsInput,
  rowOptionsSchema,
} from "../../../env/generated/row_options.ts";
import { drawRowTasks } from "../../../env/generated/row_tasks.ts";
import type { Dataset, Task } from "../../../env/types.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

const DOMAINS = ["retail", "airline"] as const;

const ignore = NO_TAU_BENCH;

function heldOutOf(dataset: Dataset): Task[] {
  return dataset.splits.filter((split) => split !== "train")
    .flatMap((split) => dataset.tasks(split));
}

async function draw(dataset: Dataset, given: RowOptionsInput) {
  return await drawRowTasks(dataset, {
    options: rowOptionsSchema.parse(given),
    heldOut: heldOutOf(dataset),
  });
}

for (const name of DOMAINS) {
  const load = () => loadTauBench(TAU_BENCH, name);

  Deno.test({
    name: `drawRowTasks() excludes held-out users from every draw: ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const heldOut = heldOutOf(dataset);
      const users = new Set(heldOut.map(({ userId }) => userId));
      const rows = new Set([...users].flatMap((id) => {
        const user = dataset.database.get("users", id);
        return [...texts(user, "orders"), ...texts(user, "reservations")];
      }));
      const shares = fc.record({
        seed: fc.integer({ min: 1, max: 1000 }),
        severalShare: fc.constantFrom(0, 0.5, 1),
        conditionShare: fc.constantFrom(0, 0.4),
        questionShare: fc.constantFrom(0, 0.15),
        idStatedShare: fc.constantFrom(0, 1),
      });
      await fc.assert(
        fc.asyncProperty(shares, async (options) => {
          const drawn = await draw(dataset, { ...options, trainTasks: 30 });
          for (const task of drawn.tasks("train")) {
            assert.ok(!users.has(task.userId), task.id);
            const told = JSON.stringify([
              task.instruction,
              task.actions.map(({ arguments: args }) => [...args]),
            ]);
            for (const id of rows) assert.ok(!told.includes(id), told);
          }
        }),
        { numRuns: 8 },
      );
    },
  });

  Deno.test({
    name:
      `drawRowTasks() makes tasks whose gold is valid on the benchmark's rows, and that an audit does not flag: ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const drawn = await draw(dataset, { trainTasks: 200, seed: 5 });
      const tasks = drawn.tasks("train");
      assert.equal(tasks.length, 200);
      assert.equal(drawn.certificates.size, 200);
      for (const task of tasks) {
        assert.ok(drawn.certificates.has(task.id));
        assert.ok(!("goal" in task), "served as the benchmark's");
        for (const { action, answer, changed } of replayGold(task, dataset)) {
          assert.ok(
            !isErrorAnswer(answer),
            `${task.id}: ${action.name}: ${answer}`,
          );
          assert.equal(changed, isWrite(action), task.id);
        }
      }
      assert.deepEqual(audit(drawn, { splits: ["train"] }).exclusions, []);
      const { overlaps } = audit(drawn);
      for (const { users, rows, splits } of overlaps) {
        if (splits[0] === "train") assert.deepEqual([users, rows], [0, 0]);
      }
      assert.equal(
        overlaps.length,
        drawn.splits.length * (drawn.splits.length - 1) / 2,
      );
    },
  });

  Deno.test({
    name:
      `drawRowTasks() draws the same tasks for the same seed, others for another, and none similar to a held-out task: ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const [first, again, other] = [
        await draw(dataset, { trainTasks: 60, seed: 2 }),
        await draw(dataset, { trainTasks: 60, seed: 2 }),
        await draw(dataset, { trainTasks: 60, seed: 3 }),
      ];
      assert.equal(first.fingerprint, again.fingerprint);
      assert.deepEqual(first.tasks("train"), again.tasks("train"));
      assert.notEqual(first.fingerprint, other.fingerprint);
      const tasks = [...heldOutOf(dataset), ...first.tasks("train")];
      const alike = duplicates({ dataset, tasks })
        .filter(({ split }) => split === "train");
      assert.deepEqual(alike, []);
    },
  });

  Deno.test({
    name:
      `drawRowTasks() keeps the benchmark's held-out tasks and, on request, its own train tasks: ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const drawn = await draw(dataset, { trainTasks: 20, ownTrain: true });
      const own = dataset.splits.includes("train")
        ? dataset.tasks("train")
        : [];
      const train = drawn.tasks("train");
      assert.deepEqual(train.slice(0, own.length), own);
      assert.equal(train.length, own.length + 20);
      assert.deepEqual(
        train.map(({ index, id }) => [index, id]),
        train.map((_, i) => [i, `${name}/train/${i}`]),
      );
      for (const split of ["dev", "test"] as const) {
        if (!dataset.splits.includes(split)) continue;
        assert.equal(drawn.tasks(split), dataset.tasks(split));
      }
    },
  });

  Deno.test({
    name:
      `drawRowTasks() writes instructions with the user's identity that the user can say: ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const drawn = await draw(dataset, { trainTasks: 100, seed: 9 });
      for (const { instruction, outputs } of drawn.tasks("train")) {
        assert.match(instruction, /^You(r (name|user id) is| are) \S/);
        const { all, synthetic, questions } = firstPerson(instruction);
        assert.equal(questions !== "", outputs.length > 0, instruction);
        assert.ok(!synthetic);
        assert.match(all, /\bi (would like|want|need|wish)\b/, instruction);
        assert.doesNotMatch(all, /\byou\b/i);
      }
    },
  });
}

Deno.test({
  name: "drawRowTasks() honors the knobs for retail",
  ignore,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const only = { trainTasks: 60, severalShare: 0, questionShare: 0 };
    const ids = await draw(dataset, {
      ...only,
      conditionShare: 0,
      idStatedShare: 1,
    });
    for (const { instruction, intent } of ids.tasks("train")) {
      if (intent === "user_address" || /\ball\b|every/.test(instruction)) {
        continue;
      }
      assert.match(instruction, /#W\d{7}/);
    }
    const asked = await draw(dataset, { ...only, questionShare: 1 });
    for (const { outputs, actions } of asked.tasks("train")) {
      assert.equal(outputs.length, 1);
      assert.ok(!actions.some(isWrite));
    }
    const several = await draw(dataset, { ...only, severalShare: 1 });
    const wishes = several.tasks("train").map(({ intent = "" }) =>
      intent.split("+").length
    );
    assert.ok(wishes.filter((n) => n > 1).length > 30, wishes.join());
    const first = await draw(dataset, { ...only, conditionShare: 1 });
    const clauses = new Set(
      first.certificates.values().flatMap(({ policy }) =>
        policy.refused.flatMap((one) => one.clauses)
      ),
    );
    for (
      const clause of ["items.in_stock", "order.pending", "order.delivered"]
    ) {
      assert.ok(clauses.has(clause), clause);
    }
  },
});

Deno.test({
  name:
    "drawRowTasks() asks about an item by a name that is unique in its order",
  ignore,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const drawn = await draw(dataset, {
      trainTasks: 300,
      severalShare: 0,
      questionShare: 1,
    });
    let asked = 0;
    for (const { instruction, actions } of drawn.tasks("train")) {
      const [, named] =
        /\b(?<!total )(?:price|color|material|size|storage|battery life) of the (?!order)(.+?) (?:that you (?:bought|ordered)|in (?:your |the )?order)\b/
          .exec(instruction) ?? [];
      const id = actions.find(({ name }) => name === "get_order_details")
        ?.arguments.get("order_id");
      if (named === undefined || id === undefined) continue;
      asked++;
      const names = rows(dataset.database.get("orders", String(id)), "items")
        .map((item) => text(item, "name").toLowerCase());
      const alike = names.filter((one) => one === named.toLowerCase());
      assert.equal(alike.length, 1, instruction);
    }
    assert.ok(asked > 60, `${asked} questions`);
  },
});

Deno.test({
  name: "drawRowTasks() holds out the owners of rows that held-out tasks name",
  ignore,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const options = rowOptionsSchema.parse({ trainTasks: 40 });
    const [task] = (await drawRowTasks(dataset, { options, heldOut: [] }))
      .tasks("train").filter(({ instruction }) => /#W\d/.test(instruction));
    assert.ok(task !== undefined);
    const named = { ...task, userId: "nobody", actions: [] };
    const drawn = await drawRowTasks(dataset, { options, heldOut: [named] });
    for (const { userId } of drawn.tasks("train")) {
      assert.notEqual(userId, task.userId);
    }
  },
});
