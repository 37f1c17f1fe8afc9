/**
 * Derives records, SQL rows, data frames and the viewer's filter fields from the column table in episode_columns.ts.
 */

import type { SQLInputValue } from "node:sqlite";
import { DataError } from "../../env/errors.ts";
import type { Episode } from "../../env/types.ts";
import {
  type ColumnOptions,
  type ColumnTypes,
  EPISODE_COLUMNS,
  type EpisodePlace,
} from "./episode_columns.ts";
import { parseJson } from "./versions.ts";

type Columns = typeof EPISODE_COLUMNS;
type Name = keyof Columns;
type ValueOf<N extends Name> = ReturnType<Columns[N]["of"]>;
type OptionsOf<N extends Name> = Columns[N]["options"];

type CamelCase<S extends string> = S extends `${infer A}_${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : S;
type KeyOf<N extends Name> = OptionsOf<N> extends
  { key: infer K extends string } ? K
  : CamelCase<N>;

/** An episode as `episodes.db` stores it, without its conversation: the columns, with their names in camel case. */
export type StoredEpisode =
  & { readonly id: number }
  & { readonly [N in Name as KeyOf<N>]: ValueOf<N> };

type FrameOf<N extends Name> = OptionsOf<N> extends { frame: infer F } ? {
    readonly [K in keyof F]: F[K] extends { of: (value: never) => infer V } ? V
      : never;
  }
  : { readonly [K in N]: ValueOf<N> };
type Joined<U> = (U extends unknown ? (part: U) => void : never) extends
  (all: infer A) => void ? A : never;

/** The data-frame columns of an episode. */
export type EpisodeFrame = Joined<{ [N in Name]: FrameOf<N> }[Name]>;

type FieldOf<N extends Name> = OptionsOf<N> extends
  { field: infer F extends string } ? F : never;
type FieldValue<N extends Name> = OptionsOf<N> extends { isList: true }
  ? string | null
  : ValueOf<N>;

/** The fields of an episode that the viewer lists, filters and sorts by. */
export type EpisodeFields =
  & { readonly id: number }
  & { readonly [N in Name as FieldOf<N>]: FieldValue<N> };

interface Column {
  readonly name: string;
  readonly key: string;
  readonly sql: keyof ColumnTypes;
  readonly of: (episode: Episode, place: EpisodePlace) => unknown;
  readonly options: ColumnOptions<never>;
}

const COLUMNS: readonly Column[] = Object.entries(EPISODE_COLUMNS)
  .map(([name, { sql, of, options = {} }]) => {
    const { key = camelCase(name) }: ColumnOptions<never> = options;
    return { name, key, sql, of, options };
  });

/**
 * The current version of `episodes.db`, which is the latest version that added or changed a column. Files with a newer
 * version are rejected.
 */
export const EPISODES_VERSION: number = Math.max(
  ...COLUMNS.map(({ options: { since = 1, before } }) =>
    Math.max(since, before?.version ?? 1)
  ),
);

/**
 * SQL expressions that convert a column's values in older files to the current format, keyed by column. Columns whose
 * values never changed have no entry.
 */
export const OLD_VALUES: ReadonlyMap<string, string> = new Map(
  COLUMNS.flatMap(({ name, options: { before } }) =>
    before === undefined ? [] : [[name, before.sql]]
  ),
);

/** Returns the SQL expression that reads a column. It works for all versions of the file that have the column. */
export function columnSql(name: string): string {
  return OLD_VALUES.get(name) ?? name;
}

/** The SQL definitions of the columns, keyed by column. */
export const COLUMN_DEFINITIONS: ReadonlyMap<string, string> = new Map(
  COLUMNS.map((
    { name, sql },
  ) => [name, `${name} ${sql.replace("JSON", "TEXT")}`]),
);

/** Returns the SQL values of an episode, in the order of the columns. */
export function cellsOf(
  episode: Episode,
  place: EpisodePlace,
): SQLInputValue[] {
  return COLUMNS.map(({ sql, of }) => {
    const value = of(episode, place);
    return value !== null && sql === "JSON"
      ? JSON.stringify(value)
      : value as SQLInputValue;
  });
}

/**
 * Converts a row of `episodes.db` to an episode.
 * @param path The path of the file, for error messages.
 * @throws {DataError} If a JSON cell is damaged: it cannot be parsed, or does not have the expected format.
 */
export function storedEpisode(
  row: Readonly<Record<string, unknown>>,
  path: string,
): StoredEpisode {
  const id = Number(row["id"]);
  const episode: Record<string, unknown> = { id };
  for (const column of COLUMNS) {
    const { name, key, sql } = column;
    const cell = row[name] ?? null;
    const isJson = cell !== null && sql === "JSON";
    const value = isJson ? parseJson(String(cell)) : valueOf(cell, sql);
    const fault = isJson ? faultOf(value, column) : undefined;
    if (fault !== undefined) {
      const excerpt = JSON.stringify(String(cell).slice(0, 60));
      throw new DataError(
        `Episode ${id} of "${path}" is damaged: column "${name}" contains ${excerpt}, ${fault}`,
        {
          path,
          hint: "restore the file from a backup, or remove the episode's row",
        },
      );
    }
    episode[key] = value;
  }
  return episode as unknown as StoredEpisode;
}

/** Returns what is wrong with a JSON value; `undefined` if it is valid. */
function faultOf(value: unknown, { options }: Column): string | undefined {
  if (typeof value !== "object") return "not a JSON object or list";
  if (value === null) return undefined;
  const issue = options.shape?.safeParse(value).error?.issues[0];
  if (issue === undefined) return undefined;
  const at = issue.path.length === 0 ? "" : ` at "${issue.path.join(".")}"`;
  return `which does not have the format that taulab writes${at}`;
}

function valueOf(cell: unknown, sql: keyof ColumnTypes): unknown {
  if (cell === null) return null;
  return sql.startsWith("TEXT") ? String(cell) : Number(cell);
}

/** Converts an episode that has just ended to its stored form. */
export function factsOf(
  episode: Episode,
  place: EpisodePlace,
): Omit<StoredEpisode, "id"> {
  return Object.fromEntries(
    COLUMNS.map(({ key, of }) => [key, of(episode, place)]),
  ) as unknown as StoredEpisode;
}

/** The columns of a data frame. */
const FRAME = COLUMNS.flatMap(({ name, key, sql, options }) => {
  const isInteger = sql.startsWith("INTEGER");
  const itself = { [name]: { isInteger, of: (value: unknown) => value } };
  return Object.entries(options.frame ?? itself)
    .map(([name, cell]) => ({ name, key, ...cell }));
});

/** The names of the data-frame columns that contain only integers. */
export const FRAME_INTEGERS = FRAME
  .filter(({ isInteger }) => isInteger)
  .map(({ name }) => name as keyof EpisodeFrame);

/** Converts an episode to a row of a data frame. */
export function frameOf(episode: Omit<StoredEpisode, "id">): EpisodeFrame {
  const values = episode as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    FRAME.map(({ name, key, of }) => [name, of(values[key] as never)]),
  ) as unknown as EpisodeFrame;
}

/** A field that the viewer filters and sorts by. */
export interface FilterField {
  readonly is: "number" | "text" | "list";
  /** The label of the field's menu, if the field has few values. */
  readonly choice?: string;
  /** The column from which the field is computed. */
  readonly column: string;
  /** The SQL expression that computes the field. */
  readonly sql: string;
  /** The value of the field for an episode about which nothing is known. */
  readonly unknown: string | number | null;
}

/** The fields of the viewer's filter, keyed by field name. */
export const FILTER_FIELDS: Readonly<Record<string, FilterField>> = {
  id: { is: "number", column: "id", sql: "id", unknown: 0 },
  ...Object.fromEntries(
    COLUMNS.flatMap(({ name: column, sql, options }) => {
      const { field, choice, isList } = options;
      const { fieldSql = columnSql(column) } = options;
      if (field === undefined) return [];
      const isText = sql.startsWith("TEXT");
      const is = isList ? "list" : isText ? "text" : "number";
      const unknown = !sql.endsWith("NOT NULL") ? null : isText ? "" : 0;
      const made = { is, column, sql: fieldSql, unknown };
      return [[field, choice === undefined ? made : { ...made, choice }]];
    }),
  ),
};

/**
 * Returns the column list of a query on `episodes` that selects the filter's fields.
 * @param known The columns that the file has; files of older versions lack some columns.
 */
export function fieldColumns(known: ReadonlySet<string>): string {
  return Object.entries(FILTER_FIELDS)
    .map(([name, { column, sql }]) =>
      `${known.has(column) ? sql : "NULL"} AS "${name}"`
    ).join(", ");
}

/** Returns the fields of an episode about which nothing is known. */
export function unknownFields(): EpisodeFields {
  return Object.fromEntries(
    Object.entries(FILTER_FIELDS).map(([name, { unknown }]) => [name, unknown]),
  ) as unknown as EpisodeFields;
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
