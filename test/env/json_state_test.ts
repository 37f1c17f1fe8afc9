import assert from "node:assert/strict";
import fc from "fast-check";
import { createDatabase, type Database } from "../../env/database.ts";
import {
  type JsonLayout,
  jsonStateHash,
  sameJsonState,
} from "../../env/json_state.ts";
import { jsonHash } from "../../env/python/json_hash.ts";
import type { JsonObject, JsonValue } from "../../env/python/python_value.ts";

const LAYOUT: JsonLayout = {
  users: "object",
  bills: "list",
  phone: "members",
};

const IDS = ["b", "a", "é", "z", "10", "2"];

function row(value: JsonValue): JsonObject {
  return new Map<string, JsonValue>([["y", value], ["x", 1]]);
}

function base(): Database {
  const rows = (ids: string[]) => new Map(ids.map((id) => [id, row(id)]));
  return createDatabase(
    new Map([
      ["users", rows(["b", "a", "é"])],
      ["bills", rows(["b", "a"])],
      ["phone", rows(["zoom", "device"])],
    ]),
  );
}

/** Builds the expected JSON document of a database from all of its rows. */
function documentOf(database: Database): JsonObject {
  const rowsOf = (table: string) =>
    Array.from(
      database.ids(table),
      (id): [string, JsonValue] => [id, database.get(table, id) ?? null],
    );
  return new Map<string, JsonValue>([
    ["users", new Map(rowsOf("users"))],
    ["bills", rowsOf("bills").map(([, row]) => row)],
    ...rowsOf("phone"),
  ]);
}

type Write = readonly ["users" | "bills", string, number];

const writes = fc.array(
  fc.tuple(
    fc.constantFrom("users" as const, "bills" as const),
    fc.constantFrom(...IDS),
    fc.integer({ min: 0, max: 1 }),
  ),
  { maxLength: 5 },
);

function write(database: Database, writes: readonly Write[]): Database {
  for (const [table, id, value] of writes) {
    database.put(table, id, row(value));
  }
  return database;
}

Deno.test("jsonStateHash() equals the hash of the whole document", () => {
  const shared = base();
  assert.equal(jsonStateHash(shared, LAYOUT), jsonHash(documentOf(shared)));
  fc.assert(fc.property(writes, writes, (first, second) => {
    const database = write(write(shared.fork(), first).fork(), second);
    assert.equal(
      jsonStateHash(database, LAYOUT),
      jsonHash(documentOf(database)),
    );
  }));
});

Deno.test("jsonStateHash() hashes empty tables", () => {
  const empty = createDatabase(
    new Map(["users", "bills", "phone"].map((name) => [name, new Map()])),
  );
  assert.equal(jsonStateHash(empty, LAYOUT), jsonHash(documentOf(empty)));
});

Deno.test("sameJsonState() compares the hashes, whether or not the databases share a base", () => {
  const shared = base();
  fc.assert(fc.property(writes, writes, fc.boolean(), (one, two, isForked) => {
    const left = write(shared.fork(), one);
    const right = write(isForked ? shared.fork() : base(), two);
    assert.equal(
      sameJsonState(left, right, LAYOUT),
      jsonStateHash(left, LAYOUT) === jsonStateHash(right, LAYOUT),
    );
  }));
});

Deno.test("sameJsonState() distinguishes an object from the list of its pairs", () => {
  const [left, right] = [base(), base()].map((database) => database.fork());
  const other = left!.fork();
  left!.edit("users", "a")?.set("y", new Map([["k", 1]]));
  other.edit("users", "a")?.set("y", [["k", 1]]);
  assert(!sameJsonState(left!, other, LAYOUT));
  assert(!sameJsonState(left!, right!, LAYOUT));
});
