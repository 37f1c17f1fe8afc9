import assert from "node:assert/strict";
import fc from "fast-check";
import { createDatabase, type Database } from "../../env/database.ts";
import type { JsonObject, JsonValue } from "../../env/python/python_json.ts";
import { copyValue, printPythonJson } from "../../env/python/python_json.ts";
import { stateHash } from "../../env/state_hash.ts";
import { smallDatabase } from "../support/retail_world.ts";

/** The rows of a database as plain maps, which serve as the reference. */
type Model = Map<string, Map<string, JsonObject>>;

const TABLES = ["b", "a"] as const;

function baseModel(): Model {
  return new Map([
    [
      "b",
      new Map([["10", row(1)], ["9", row(2)], [
        "é",
        row(3),
      ]]),
    ],
    ["a", new Map([["x", row(4)]])],
  ]);
}

function row(n: number): JsonObject {
  return new Map<string, JsonValue>([["n", n], ["list", [n]]]);
}

/** An operation on one of several databases and on its reference model. */
interface Step {
  readonly kind: "edit" | "put" | "fork";
  readonly on: number;
  readonly table: typeof TABLES[number];
  readonly id: string;
  readonly n: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("edit", "edit", "put", "fork"),
  on: fc.nat(),
  table: fc.constantFrom(...TABLES),
  id: fc.constantFrom("10", "9", "é", "x", "new", "\uffff", "\u{10000}"),
  n: fc.integer(),
});

Deno.test("Database: every fork behaves like a full copy", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const base = createDatabase(baseModel());
      const all: { database: Database; model: Model }[] = [
        { database: base, model: baseModel() },
      ];
      for (const { kind, on, table, id, n } of steps) {
        const target = all[on % all.length];
        assert.ok(target);
        const { database, model } = target;
        const rows = model.get(table);
        assert.ok(rows);
        if (kind === "fork") {
          all.push({ database: database.fork(), model: copyModel(model) });
        } else if (kind === "put") {
          database.put(table, id, row(n));
          rows.set(id, row(n));
        } else {
          write(database.edit(table, id), n);
          write(rows.get(id), n);
        }
      }
      for (const { database, model } of all) assertSame(database, model);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Database: diff() and changes() name the rows whose content differs", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const base = createDatabase(baseModel());
    const [left, right] = [base.fork(), base.fork()];
    for (const { kind, on, table, id, n } of steps) {
      const database = on % 2 === 0 ? left : right;
      if (kind === "put") database.put(table, id, row(n));
      else write(database.edit(table, id), n);
    }
    const differing = new Set(
      left.diff(right).map(({ table, id }) => `${table}/${id}`),
    );
    for (const table of TABLES) {
      for (const id of new Set([...left.ids(table), ...right.ids(table)])) {
        const same = left.print(table, id) === right.print(table, id);
        assert.equal(differing.has(`${table}/${id}`), !same);
      }
    }
    assert.equal(left.diff(right).length === 0, left.hash() === right.hash());
    assert.deepEqual(
      left.changes(),
      left.diff(base).map(({ table, id }) => ({ table, id })),
    );
  }));
});

Deno.test("Database: an undone write is not a change", () => {
  const database = smallDatabase();
  const untouched = database.hash();
  database.edit("users", "ann")?.set("email", "other");
  assert.deepEqual(database.changes(), [{ table: "users", id: "ann" }]);
  assert.notEqual(database.hash(), untouched);
  database.edit("users", "ann")?.set("email", "Ann.K@example.com");
  assert.deepEqual(database.changes(), []);
  assert.equal(database.hash(), untouched);
});

Deno.test("Database: ids keep the order of loading, even if they look like integers", () => {
  const database = smallDatabase();
  database.put("products", "1", row(1));
  assert.deepEqual([...database.ids("products")], ["10", "9", "1"]);
});

Deno.test("Database: derive() computes once per base and ignores writes", () => {
  const database = smallDatabase();
  let runs = 0;
  const count = (rows: ReadonlyMap<string, JsonObject>) => (runs++, rows.size);
  const fork = database.fork();
  fork.put("users", "cy", row(1));
  assert.equal(database.derive("users", count), 2);
  assert.equal(fork.derive("users", count), 2);
  assert.equal(runs, 1);
  assert.deepEqual(fork.written("users"), ["cy"]);
});

Deno.test("Database: an unknown table and a foreign base are errors", () => {
  assert.throws(
    () => smallDatabase().get("flights", "1"),
    /no table "flights".*"orders"/,
  );
  assert.throws(() => smallDatabase().put("flights", "1", row(1)), RangeError);
  assert.throws(() => smallDatabase().diff(smallDatabase()), TypeError);
});

Deno.test("Database: a live fork with changes holds a few KiB", () => {
  const database = smallDatabase();
  const forks = Array.from({ length: 1000 }, () => database.fork());
  const before = Deno.memoryUsage().heapUsed;
  for (const fork of forks) {
    fork.edit("orders", "#A")?.set("status", "cancelled");
  }
  const bytes = (Deno.memoryUsage().heapUsed - before) / forks.length;
  assert.ok(bytes < 50 * 1024, `${bytes}`);
});

function write(row: JsonValue | undefined, n: number): void {
  if (!(row instanceof Map)) return;
  row.set("n", n);
  const list = row.get("list");
  if (Array.isArray(list)) list.push(n);
}

function copyModel(model: Model): Model {
  return new Map(
    Array.from(model, ([name, rows]) => [
      name,
      copyValue(rows) as Map<string, JsonObject>,
    ]),
  );
}

function assertSame(database: Database, model: Model): void {
  for (const [table, rows] of model) {
    assert.deepEqual([...database.ids(table)], [...rows.keys()]);
    for (const [id, row] of rows) {
      assert.equal(database.print(table, id), printPythonJson(row));
    }
  }
  assert.equal(database.hash(), stateHash(model));
}
