/** Loads and hashes telecom's two databases: the agent's and the user's. */

import { createDatabase, type Database, type Table } from "../../database.ts";
import type { Databases, Side } from "../../domain.ts";
import { DataError, ToolError } from "../../errors.ts";
import {
  type JsonLayout,
  jsonStateHash,
  sameJsonState,
} from "../../json_state.ts";
import { type Model, validate } from "../../python/pydantic.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { TelecomDb } from "./account/account_models.ts";
import { BILL_IDS, newBillIds } from "./account/bill_ids.ts";
import { type TableName, TABLES } from "./account/lookups.ts";
import { TelecomUserDb } from "./phone/phone_models.ts";
import { PHONE } from "./phone/phone_rows.ts";
import { HIDDEN, newVpnDefault, VPN_DEFAULT } from "./phone/vpn.ts";

/**
 * Loads both databases from the parsed files. Without a user file, the phone has the models' default values. The
 * original's lists become tables keyed by id. Each database has an additional table for state that the original keeps
 * outside its database and does not hash.
 * @throws {DataError} If the data does not match the models.
 */
export function loadTelecom(
  { agent, user }: { readonly agent: JsonValue; readonly user?: JsonValue },
): Databases {
  const account = validated(TelecomDb, agent, "agent");
  const phone = validated(TelecomUserDb, user ?? new Map(), "user");
  const tables = NAMES.map((name) =>
    [name, tableOf(name, account.get(name) ?? null)] as const
  );
  return {
    agent: createDatabase(
      new Map<string, Table>([
        ...tables,
        [HIDDEN, new Map([[BILL_IDS, newBillIds()]])],
      ]),
    ),
    user: createDatabase(
      new Map<string, Table>([
        [PHONE, new Map(objectsIn(phone))],
        [HIDDEN, new Map([[VPN_DEFAULT, newVpnDefault()]])],
      ]),
    ),
  };
}

const NAMES = Object.keys(TABLES) as TableName[];

function validated(model: Model, data: JsonValue, side: Side): JsonObject {
  try {
    return validate(model, data);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new DataError(
      `Cannot read the ${side}'s telecom database: ${error.message}`,
      { cause: error },
    );
  }
}

/** Builds a table from a list of rows. If rows share an id, a lookup by id finds only the first row. */
function tableOf(name: TableName, rows: JsonValue): Table {
  const table = new Map<string, JsonObject>();
  for (const row of Array.isArray(rows) ? rows : []) {
    if (!(row instanceof Map)) continue;
    const id = String(row.get(TABLES[name].id));
    let key = id;
    for (let n = 2; table.has(key); n++) key = `${id}\0${n}`;
    table.set(key, row);
  }
  return table;
}

function objectsIn(object: JsonObject): [string, JsonObject][] {
  return [...object].flatMap(([key, value]) =>
    value instanceof Map ? [[key, value] as [string, JsonObject]] : []
  );
}

/** The layout of each side's tables in the original's JSON documents. */
export const LAYOUT: Readonly<Record<Side, JsonLayout>> = {
  agent: {
    plans: "list",
    customers: "list",
    lines: "list",
    bills: "list",
    devices: "list",
  },
  user: { [PHONE]: "members" },
};

/** Returns the SHA-256 hash of one side's database, serialized as Python's JSON with sorted keys. */
export function hashTelecom(database: Database, side: Side): string {
  return jsonStateHash(database, LAYOUT[side]);
}

/** Checks whether two states of one side's database would have the same hash. */
export function isSameTelecom(
  left: Database,
  right: Database,
  side: Side,
): boolean {
  return sameJsonState(left, right, LAYOUT[side]);
}
