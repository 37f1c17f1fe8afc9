/**
 * The canonical text of a database's base, encoded once, so that a state's hash only encodes the rows that
 * changed.
 */

import type { JsonObject } from "./python/python_value.ts";
import { pairText, sortedKeys } from "./state_hash.ts";
import { compareStrings, stringRepr } from "./python/python_repr.ts";

const SEPARATOR = ", ";

/** A table's rows as `('id', row)`, sorted by id and joined by `, `, in UTF-8. */
interface TableText {
  readonly name: string;
  readonly ids: readonly string[];
  readonly bytes: Uint8Array;
  /** Where each row begins in `bytes`; one more than there are rows, as if another one followed. */
  readonly starts: Uint32Array;
}

/** The text of a base, from which {@linkcode BaseText.pieces} makes the text of any state above it. */
export class BaseText {
  readonly #tables: readonly TableText[];

  /** @param canonical The canonical text of a row of the base. */
  constructor(
    tables: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>,
    canonical: (table: string, id: string) => string | undefined,
  ) {
    this.#tables = sortedKeys(tables.keys()).map((name) =>
      encodeTable(name, sortedKeys(tables.get(name)?.keys() ?? []), canonical)
    );
  }

  /**
   * The text of a state in parts.
   * @param changes By table: rows that are not the base's, sorted by id, each as `('id', row)`.
   */
  *pieces(
    changes: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ): Generator<string | Uint8Array> {
    yield "(";
    for (const [i, table] of this.#tables.entries()) {
      yield `${i > 0 ? SEPARATOR : ""}(${stringRepr(table.name)}, (`;
      const count = yield* rowPieces(table, changes.get(table.name));
      yield count === 1 ? ",))" : "))";
    }
    yield this.#tables.length === 1 ? ",)" : ")";
  }
}

function encodeTable(
  name: string,
  ids: readonly string[],
  canonical: (table: string, id: string) => string | undefined,
): TableText {
  const encoder = new TextEncoder();
  const rows = ids.map((id) =>
    encoder.encode(pairText(id, canonical(name, id) ?? "") + SEPARATOR)
  );
  const starts = new Uint32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    starts[i + 1] = starts[i]! + rows[i]!.length;
  }
  const bytes = new Uint8Array(starts[rows.length]!);
  for (let i = 0; i < rows.length; i++) bytes.set(rows[i]!, starts[i]!);
  return { name, ids, bytes, starts };
}

/** The rows of a table: runs of the base's, and what changed in between. Returns how many rows there are. */
function* rowPieces(
  table: TableText,
  changes: ReadonlyMap<string, string> = new Map(),
): Generator<string | Uint8Array, number> {
  let [next, count] = [0, 0];
  for (const [id, text] of changes) {
    const place = placeOf(table.ids, id);
    if (place > next) {
      if (count > 0) yield SEPARATOR;
      yield run(table, next, place);
      count += place - next;
    }
    yield count > 0 ? SEPARATOR + text : text;
    count++;
    next = table.ids[place] === id ? place + 1 : place;
  }
  if (next < table.ids.length) {
    if (count > 0) yield SEPARATOR;
    yield run(table, next, table.ids.length);
    count += table.ids.length - next;
  }
  return count;
}

/** The bytes of rows `from` to `to`, without the separator after the last. */
function run(table: TableText, from: number, to: number): Uint8Array {
  return table.bytes.subarray(
    table.starts[from],
    table.starts[to]! - SEPARATOR.length,
  );
}

/** The place of the first id that is not before `id`. */
function placeOf(ids: readonly string[], id: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareStrings(ids[middle] ?? "", id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
