/**
 * Where the ids of new bills come from. The original draws them anew each time; here a database draws its own, the same
 * ones for the same seed, so that episodes can be repeated.
 */

import type { Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { sha256 } from "../../../state_hash.ts";
import { HIDDEN } from "../phone/vpn.ts";

const BILL_IDS = "bill_ids";

/** The row as every environment begins. */
export function newBillIds(): JsonObject {
  const row: JsonObject = new Map();
  row.set("seed", "");
  row.set("drawn", 0);
  return row;
}

/**
 * Has a database draw other ids than its base: two databases of different seeds open bills of different ids, as two of
 * the original do. Without a seed the k-th is `B` and eight hex digits of k.
 */
export function seedBillIds(database: Database, seed: string): void {
  database.edit(HIDDEN, BILL_IDS)?.set("seed", seed);
}

/** The id of the next new bill. */
export function nextBillId(database: Database): string {
  const row = database.edit(HIDDEN, BILL_IDS) ?? newBillIds();
  const drawn = Number(row.get("drawn")) + 1;
  row.set("drawn", drawn);
  const seed = String(row.get("seed"));
  const digits = seed === ""
    ? drawn.toString(16).padStart(8, "0")
    : sha256([`${seed}/${drawn}`]).slice(0, 8);
  return `B${digits}`;
}

export { BILL_IDS };
