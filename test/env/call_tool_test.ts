import assert from "node:assert/strict";
import { callTool } from "../../env/call_tool.ts";
import { createDatabase, type Database } from "../../env/database.ts";
import { retail } from "../../env/domains/retail/domain.ts";
import { DataError, InfrastructureError } from "../../env/errors.ts";
import { defineTool } from "../../env/tool.ts";
import { action, smallDatabase } from "../support/retail_world.ts";

/** Returns the result of calling a tool that has the given handler. */
function answerOf(
  run: (database: Database) => string,
  database = smallDatabase(),
): string {
  const tool = defineTool({ name: "odd", parameters: [], run });
  const domain = { ...retail, tools: [...retail.tools, tool] };
  return callTool(domain, database, action("odd"));
}

function failing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

function isOurs(message: RegExp) {
  return (error: unknown) =>
    error instanceof InfrastructureError && error.kind === "bug" &&
    error.source === "environment" && message.test(error.message);
}

Deno.test("callTool() shows any exception to the agent, as τ-bench does", () => {
  const shown: [run: (database: Database) => string, answer: RegExp][] = [
    [failing(new TypeError("x is no list")), /^Error: x is no list$/],
    [failing("out of luck"), /^Error: out of luck$/],
    [
      failing(new DataError("no JSON", { hint: "quote it" })),
      /^Error: no JSON; quote it$/,
    ],
    [
      (database) => `${database.get("nowhere", "x")}`,
      /^Error: The database has no table "now/,
    ],
    [function deeper(database): string {
      return deeper(database) + 1;
    }, /^Error: Maximum call stack size exceeded$/],
  ];
  for (const [run, answer] of shown) assert.match(answerOf(run), answer);
});

Deno.test("callTool() keeps what a tool wrote before it failed", () => {
  const database = smallDatabase();
  const run = (database: Database) => {
    database.edit("users", "bo")?.set("email", 1);
    throw new TypeError("too late");
  };
  assert.equal(answerOf(run, database), "Error: too late");
  assert.equal(database.get("users", "bo")?.get("email"), 1);
  // Rows that a call has written are not checked: they only make later calls fail.
  assert.equal(answerOf(failing(new Error("again")), database), "Error: again");
});

Deno.test("callTool() reports a failed assertion and an answer that is not a string as bugs", () => {
  assert.throws(
    () => answerOf(() => (assert.ok(false, "never here"), "")),
    isOurs(/^The tool "odd" failed: .*never here/),
  );
  for (const answer of [undefined, 7, Promise.resolve("late")]) {
    assert.throws(
      () => answerOf(() => answer as unknown as string),
      isOurs(/^The tool "odd" failed: .*the result has the type/),
    );
  }
});

Deno.test("callTool() reports a database that was invalid from the start, and names the row", () => {
  const world = smallDatabase();
  const tables = world.tables.map((table) =>
    [
      table,
      new Map(
        [...world.ids(table)].map((id) => [id, world.edit(table, id)!]),
      ),
    ] as const
  );
  world.edit("orders", "#A")?.set("status", 7);
  const call = action(
    "cancel_pending_order",
    '{"order_id": "#A", "reason": ""}',
  );
  assert.throws(
    () => callTool(retail, createDatabase(new Map(tables)), call),
    isOurs(/row "#A" of the table "orders" does not match its schema$/),
  );
  world.edit("orders", "#A")?.set("status", "pending");
  const fewer = tables.filter(([table]) => table !== "users");
  const find = action("find_user_id_by_email", '{"email": "x"}');
  assert.throws(
    () => callTool(retail, createDatabase(new Map(fewer)), find),
    isOurs(/the database has no table "users"$/),
  );
});
