/**
 * Generates the ids of new bills. The original draws these ids at random. Here, each database derives its ids from a
 * seed, so that episodes are reproducible.
 */

import type { Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { sha256 } from "../../../state_hash.ts";
import { HIDDEN } from "../phone/vpn.ts";

const BILL_IDS = "bill_ids";

/** Returns the initial state of a database's bill id generator. */
export function newBillIds(): JsonObject {
  const row: JsonObject = new Map();
  row.set("seed", "");
  row.set("drawn", 0);
  return row;
}

/**
 * Sets the seed from which a database derives the ids of new bills. Databases with different seeds assign different
 * ids, as two runs of the original do. Without a seed, the k-th id is `B` followed by eight hex digits of k.
 */
export function seedBillIds(database: Database, seed: string): void {
  database.edit(HIDDEN, BILL_IDS)?.set("seed", seed);
}

/** Returns the id of the next new bill. */
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
