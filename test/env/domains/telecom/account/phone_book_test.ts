import assert from "node:assert/strict";
import fc from "fast-check";
import { createDatabase, type Database } from "../../../../../env/database.ts";
import {
  customerByPhone,
  lineByPhone,
} from "../../../../../env/domains/telecom/account/lookups.ts";
import { holdersOf } from "../../../../../env/domains/telecom/account/phone_book.ts";
import { object } from "../../../../../env/domains/shared/call.ts";
import { texts } from "../../../../../env/domains/shared/read_row.ts";
import type { JsonObject } from "../../../../../env/python/python_value.ts";

const NUMBERS = ["1", "2", "3", "4"];
const LINES = ["L1", "L2", "L3", "L4"];
const number = fc.constantFrom(...NUMBERS);

/**
 * Arbitrary worlds: the phone number of each line, the customers, and changes of phone numbers. A customer has a phone
 * number and the ids of lines, some of which may not exist.
 */
const world = fc.record({
  lines: fc.array(number, { minLength: 1, maxLength: 4 }),
  customers: fc.array(
    fc.record({
      number,
      lines: fc.subarray(LINES.slice(0, 3)),
    }),
    { maxLength: 3 },
  ),
  edits: fc.array(
    fc.record({
      table: fc.constantFrom("lines", "customers"),
      row: fc.nat(3),
      number,
    }),
    { maxLength: 2 },
  ),
});

function lineRow(id: string, phone: string): JsonObject {
  return object({ line_id: id, phone_number: phone, status: "Active" });
}

function rowsOf(rows: readonly (readonly [string, JsonObject])[]) {
  return new Map(rows);
}

/** Finds the line and the customer of a phone number by scanning all rows, as the original does. */
function scan(database: Database, phone: string) {
  let line: string | undefined;
  for (const id of database.ids("lines")) {
    const isHit = database.get("lines", id)!.get("phone_number") === phone;
    if (isHit) line ??= id;
  }
  for (const id of database.ids("customers")) {
    const row = database.get("customers", id)!;
    if (row.get("phone_number") === phone) return { line, customer: id };
    for (const lineId of texts(row, "line_ids")) {
      const own = database.get("lines", lineId);
      if (own === undefined) return { line, customer: "error" };
      if (own.get("phone_number") === phone) return { line, customer: id };
    }
  }
  return { line, customer: "error" };
}

function found(look: () => JsonObject, field: string): unknown {
  try {
    return look().get(field);
  } catch {
    return "error";
  }
}

Deno.test("lineByPhone() and customerByPhone() match a full scan, even after numbers have changed", () => {
  fc.assert(fc.property(world, ({ lines, customers, edits }) => {
    const database = createDatabase(
      new Map([
        [
          "lines",
          rowsOf(
            lines.map((one, i) => [LINES[i]!, lineRow(LINES[i]!, one)]),
          ),
        ],
        [
          "customers",
          rowsOf(customers.map((one, i) => [
            `C${i}`,
            object({
              customer_id: `C${i}`,
              phone_number: one.number,
              line_ids: one.lines,
            }),
          ])),
        ],
      ]),
    ).fork();
    const agrees = () => {
      for (const phone of NUMBERS) {
        const { line = "error", customer } = scan(database, phone);
        const looks = [
          found(() => lineByPhone(database, phone), "line_id"),
          found(() => customerByPhone(database, phone), "customer_id"),
        ];
        assert.deepEqual(looks, [line, customer]);
      }
    };
    agrees();
    for (const { table, row, number } of edits) {
      const ids = [...database.ids(table)];
      database.edit(table, ids[row] ?? "none")?.set("phone_number", number);
      database.edit(table, ids[0] ?? "none")?.set("status", "Suspended");
      agrees();
    }
    database.put("lines", "L0", lineRow("L0", "4"));
    agrees();
  }));
});

Deno.test("holdersOf() requires a scan if a customer's line is missing or a number has changed", () => {
  const tables = (lineIds: string[]) =>
    new Map([
      ["lines", rowsOf([["L1", lineRow("L1", "1")]])],
      [
        "customers",
        rowsOf([[
          "C1",
          object({ customer_id: "C1", phone_number: "2", line_ids: lineIds }),
        ]]),
      ],
    ]);
  const database = createDatabase(tables(["L1"])).fork();
  assert.deepEqual(holdersOf(database, "1"), { line: "L1", customer: "C1" });
  assert.deepEqual(holdersOf(database, "2"), { customer: "C1" });
  database.edit("lines", "L1")!.set("status", "Suspended");
  assert.deepEqual(holdersOf(database, "1"), { line: "L1", customer: "C1" });
  database.edit("lines", "L1")!.set("phone_number", "3");
  assert.equal(holdersOf(database, "1"), undefined);
  assert.equal(
    holdersOf(createDatabase(tables(["L1", "L2"])), "1"),
    undefined,
  );
});
