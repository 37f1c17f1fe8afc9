/**
 * Encodes the canonical text of a database's base rows once, so that hashing a state has to encode only the changed
 * rows.
 */

import type { JsonObject } from "./python/python_value.ts";
import { pairText, sortedKeys } from "./state_hash.ts";
import { compareStrings, stringRepr } from "./python/python_repr.ts";

const SEPARATOR = ", ";

/** The encoded rows of a table, sorted by id. Each includes its id and is followed by `, `. */
export interface TableText {
  readonly ids: readonly string[];
  /** The text of all rows, encoded as UTF-8. */
  readonly bytes: Uint8Array;
  /** The offset of each row in `bytes`, followed by `bytes.length`, so there is one more offset than there are rows. */
  readonly starts: Uint32Array;
}

/**
 * The canonical text of a database's base rows. {@linkcode BaseText.pieces} combines it with changed rows to form the
 * text of a state.
 */
export class BaseText {
  readonly #tables: readonly {
    readonly name: string;
    readonly text: TableText;
  }[];

  /** @param canonical Returns the canonical text of a base row. */
  constructor(
    tables: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>,
    canonical: (table: string, id: string) => string | undefined,
  ) {
    this.#tables = sortedKeys(tables.keys()).map((name) => ({
      name,
      text: encodeTable(
        tables.get(name)?.keys() ?? [],
        (id) => pairText(id, canonical(name, id) ?? ""),
      ),
    }));
  }

  /**
   * Yields the text of a state in parts.
   * @param changes The texts of changed and added rows, `('id', row)`, keyed by table, then by id. The ids must be
   * sorted.
   */
  *pieces(
    changes: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ): Generator<string | Uint8Array> {
    yield "(";
    for (const [i, { name, text }] of this.#tables.entries()) {
      yield `${i > 0 ? SEPARATOR : ""}(${stringRepr(name)}, (`;
      const count = yield* rowPieces(text, changes.get(name));
      yield count === 1 ? ",))" : "))";
    }
    yield this.#tables.length === 1 ? ",)" : ")";
  }
}

/** Encodes the rows of a table; `textOf` returns the text of a row, including its id. */
export function encodeTable(
  unsorted: Iterable<string>,
  textOf: (id: string) => string,
): TableText {
  const encoder = new TextEncoder();
  const ids = sortedKeys(unsorted);
  const rows = ids.map((id) => encoder.encode(textOf(id) + SEPARATOR));
  const starts = new Uint32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    starts[i + 1] = starts[i]! + rows[i]!.length;
  }
  const bytes = new Uint8Array(starts[rows.length]!);
  for (let i = 0; i < rows.length; i++) bytes.set(rows[i]!, starts[i]!);
  return { ids, bytes, starts };
}

/**
 * Yields the text of a table's rows: runs of unchanged rows, with changed and added rows in between.
 * @param changes The texts of changed and added rows keyed by id and sorted by id.
 * @returns The number of rows whose text was yielded.
 */
export function* rowPieces(
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

/** Returns the bytes of rows `from` to `to` (exclusive), without the separator after the last row. */
function run(table: TableText, from: number, to: number): Uint8Array {
  return table.bytes.subarray(
    table.starts[from],
    table.starts[to]! - SEPARATOR.length,
  );
}

/** Returns the index of the first id that does not sort before `id`; `ids.length` if all do. */
function placeOf(ids: readonly string[], id: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareStrings(ids[middle] ?? "", id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
