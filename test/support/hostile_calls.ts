/**
 * Generates tool calls as a hostile model might make them. In some of them, arguments are wrong, missing, superfluous,
 * nested or huge; others are almost correct.
 */

import { isWrite } from "../../env/audit/finding.ts";
import type { Database } from "../../env/database.ts";
import type { Domain } from "../../env/domain.ts";
import { createRng, type Rng } from "../../env/random.ts";
import {
  copyValue,
  Float,
  type JsonObject,
  type JsonValue,
} from "../../env/python/python_value.ts";
import type { Dataset, ToolAction } from "../../env/types.ts";

/** The domain and the dataset for which calls are generated. */
export interface HostileWorld {
  readonly domain: Domain;
  readonly dataset: Dataset;
}

/** Values that are unusual, and usually invalid, for any parameter. */
const WEIRD: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  new Float(0),
  new Float(-0),
  new Float(1),
  new Float(1e16),
  10n ** 30n,
  -(10n ** 25n),
  "",
  " ",
  "0",
  "yes",
  "None",
  "'",
  '"',
  "\\",
  "\u0000",
  "\u0085",
  "\ufeff5",
  "\u200b",
  "\ud800",
  "\udfff\ud800",
  "\ue000",
  "😀",
  "\u{10ffff}",
  "İ",
  "ẞ",
  "٣٤",
  "２０",
  "1_",
  "+5",
  "__proto__",
  "constructor",
  "toString",
  "data",
  "x".repeat(3000),
  [],
  [[]],
  [null],
  ["a", "b"],
  [NaN],
  new Map(),
  new Map([["", null]]),
  deep(400),
];

/** Generates a sequence of calls, each based on the state after the previous calls. */
export class HostileCaller {
  readonly #world: HostileWorld;
  readonly #rng: Rng;
  readonly #golds: readonly ToolAction[];
  /**
   * The id of the user whom most calls concern. If each call concerned a random user, it would seldom affect later
   * calls.
   */
  readonly #userId: string;
  readonly #fields: ReadonlyMap<string, readonly JsonValue[]>;

  constructor(world: HostileWorld, seed: number | string) {
    const { dataset } = world;
    this.#world = world;
    this.#rng = createRng("hostile", seed);
    const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
    const chosen = this.#rng.shuffle(tasks).slice(0, 3);
    this.#golds = chosen.flatMap(({ actions }) => actions);
    this.#userId = chosen[0]?.userId ?? "";
    this.#fields = fieldsOf(dataset.database, {
      golds: this.#rng.shuffle(tasks.flatMap(({ actions }) => actions)),
      rng: this.#rng,
    });
  }

  /**
   * Returns the next call: a gold call, or a call of any tool with values that fit the names of its arguments. Either
   * may be corrupted; in rare cases, even the tool's name is wrong.
   */
  next(database: Database): ToolAction {
    const rng = this.#rng;
    const sane = rng.next() < 0.5 && this.#golds.length > 0
      ? rng.pick(this.#golds)
      : this.#madeUp(database);
    const args = copyValue(sane.arguments);
    args.forEach((value) => this.#refresh(value, database));
    while (rng.next() < 0.5) this.#spoilOne(args, database);
    if (rng.next() < 0.05) args.set(this.#key(), rng.pick(WEIRD));
    if (rng.next() < 0.05) args.delete([...args.keys()][0] ?? "");
    const name = rng.next() < 0.01 ? this.#key() : sane.name;
    return { name, arguments: args };
  }

  #madeUp(database: Database): ToolAction {
    const { tools } = this.#world.domain;
    const writes = tools.filter((tool) => isWrite(callOf(tool.name)));
    const tool = this.#rng.pick([...tools, ...writes, ...writes]);
    const args: JsonObject = new Map(
      tool.parameters.map((parameter) => [
        parameter,
        this.#valueFor(parameter, database),
      ]),
    );
    return callOf(tool.name, args);
  }

  /**
   * Returns a value for the argument `name`. For the id of a row, this is often the id of a row that was changed. For
   * any other argument, it is usually a known value of an argument or field with that name.
   */
  #valueFor(name: string, database: Database): JsonValue {
    const rng = this.#rng;
    const table = database.tables.find((table) =>
      `${table.slice(0, -1)}_id` === name
    );
    const written = table === undefined ? [] : database.written(table);
    if (written.length > 0 && rng.next() < 0.7) return rng.pick(written);
    if (name === "user_id" && rng.next() < 0.7) return this.#userId;
    if (name.endsWith("id") && rng.next() < 0.5) {
      const own = idsIn(database.get("users", this.#userId) ?? null);
      const [newest = ""] = own;
      if (own.length > 0) return rng.next() < 0.5 ? newest : rng.pick(own);
    }
    const known = this.#fields.get(name) ??
      [...this.#fields].find(([field]) => name.includes(field))?.[1];
    const isKnown = known !== undefined && rng.next() < 0.8;
    return copyValue(isKnown ? rng.pick(known) : rng.pick(WEIRD));
  }

  /** Replaces some nested values with others of the same kind, such as another flight or another payment method. */
  #refresh(value: JsonValue, database: Database): void {
    if (Array.isArray(value)) {
      value.forEach((one) => this.#refresh(one, database));
    } else if (value instanceof Map) {
      for (const key of value.keys()) {
        if (this.#rng.next() > 0.3) continue;
        value.set(key, this.#valueFor(key, database));
      }
    }
  }

  #spoilOne(args: JsonObject, database: Database): void {
    const keys = [...args.keys()];
    if (keys.length === 0) return;
    // Prefer nested values, which can be corrupted in more places.
    const nested = keys.filter((key) => typeof args.get(key) === "object");
    const key = this.#rng.pick([...keys, ...nested, ...nested]);
    const spoilt = this.#spoil(args.get(key) ?? null, { key, database });
    args.set(key, spoilt);
  }

  #spoil(
    value: JsonValue,
    place: { key: string; database: Database },
  ): JsonValue {
    const rng = this.#rng;
    const kind = rng.next();
    if (Array.isArray(value) && value.length > 0 && kind < 0.7) {
      const at = rng.int(value.length);
      return kind < 0.1
        ? [...value, ...value]
        : value.with(at, this.#spoil(value[at]!, place));
    }
    if (value instanceof Map && kind < 0.8) {
      this.#spoilOne(value, place.database);
      return value;
    }
    if (kind < 0.3) return this.#valueFor(place.key, place.database);
    if (kind < 0.4) return [value];
    if (kind < 0.45) return new Map([[this.#key(), value]]);
    if (kind < 0.5) return typeof value === "string" ? [...value] : `${value}`;
    return copyValue(rng.pick(WEIRD));
  }

  #key(): string {
    const value = this.#rng.pick(WEIRD);
    return typeof value === "string" ? value : "k";
  }
}

function callOf(name: string, args: JsonObject = new Map()): ToolAction {
  return { name, arguments: args };
}

/**
 * Returns values from the arguments of gold calls and from a few rows of each table, keyed by the name of the argument
 * or field.
 */
function fieldsOf(
  database: Database,
  { golds, rng }: { golds: readonly ToolAction[]; rng: Rng },
): Map<string, JsonValue[]> {
  const fields = new Map<string, JsonValue[]>();
  const noteAll = (value: JsonValue) => {
    if (Array.isArray(value)) value.forEach(noteAll);
    if (!(value instanceof Map)) return;
    for (const [name, inner] of value) {
      const known = fields.get(name) ?? [];
      if (known.length < 12) fields.set(name, [...known, inner]);
      noteAll(inner);
    }
  };
  for (const { arguments: args } of golds) noteAll(args);
  for (const table of database.tables) {
    for (const id of rng.shuffle([...database.ids(table)]).slice(0, 4)) {
      noteAll(database.get(table, id) ?? null);
      noteAll(new Map([[`${table.slice(0, -1)}_id`, id]]));
    }
  }
  return fields;
}

/** Returns the ids within a row, such as the ids of payment methods, newest first. */
function idsIn(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (!(value instanceof Map)) return [];
  const own = value.get("id");
  const inner = [...value.values()].reverse().flatMap(idsIn);
  return typeof own === "string" ? [own, ...inner] : inner;
}

function deep(levels: number): JsonValue {
  let value: JsonValue = 0;
  for (let i = 0; i < levels; i++) {
    value = i % 2 ? [value] : new Map([["k", value]]);
  }
  return value;
}
