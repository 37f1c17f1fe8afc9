/** Reads τ³-bench's data files in upstream's layout, on disk or in memory: plain or gzipped, JSON or TOML. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { z } from "zod";
import { DataError, messageOf } from "../../errors.ts";
import { explainFirstIssue } from "../../python/python_schema.ts";
import { parsePythonJson } from "../../python/python_json.ts";
import type { JsonValue } from "../../python/python_value.ts";
import { parseToml } from "../../python/toml.ts";

/** The hint for setting the directory of τ³-bench's data. */
export const TAU3_BENCH_HINT = "pass --tau3-bench DIR or set TAU3_BENCH_DIR";

const HINT =
  "set --tau3-bench or TAU3_BENCH_DIR to a complete tau2-bench checkout or bundle";

/** The name of the file in `tools/` that contains the schema of the solo agent's stop tool. */
export const SOLO_TOOL_FILE = "solo_done.json";

/** The source of a dataset: a directory, or the texts of a bundle's files, keyed by relative path. */
export type BundleSource = string | ReadonlyMap<string, string>;

/**
 * Opens a folder of upstream's data in a bundle, a checkout, or a checkout's `data` directory.
 * @throws {DataError} If `source` is a directory in which the folder is not found.
 */
export async function dataFiles(
  source: BundleSource,
  name: string,
): Promise<BundleFiles> {
  return typeof source === "string"
    ? new BundleFiles(await dataPath(source, name))
    : new BundleFiles(`data/tau2/${name}`, source);
}

/**
 * Opens the files outside `data/`, which only a bundle has.
 * @param folder A folder of the bundle. Default: its root.
 */
export function topFiles(source: BundleSource, folder = ""): BundleFiles {
  return typeof source === "string"
    ? new BundleFiles(join(source, folder))
    : new BundleFiles(folder, source);
}

async function dataPath(dir: string, name: string): Promise<string> {
  for (const place of ["data/tau2", "tau2", "."]) {
    const path = join(dir, place, name);
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) return path;
  }
  const path = join(dir, "data/tau2", name);
  throw new DataError(`Cannot find the directory "${path}"`, {
    path,
    hint: "pass a tau2-bench checkout or a bundle as --tau3-bench DIR",
  });
}

/** A file's path and text. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** The files of one directory, with a record of every file that was read. */
export class BundleFiles {
  readonly dir: string;
  /** The name and text of every file that was read, in order. */
  readonly read: [name: string, text: string][] = [];

  readonly #texts: ReadonlyMap<string, string> | undefined;

  /**
   * Opens a directory without reading any files.
   * @param texts The texts of the files, keyed by path, to use instead of the disk. Default: files are read from disk.
   */
  constructor(dir: string, texts?: ReadonlyMap<string, string>) {
    this.dir = dir;
    this.#texts = texts;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Reads the file `name` or, if it does not exist, `name.gz`. Returns `undefined` if neither exists. */
  async find(name: string): Promise<TextFile | undefined> {
    for (const path of [this.path(name), this.path(`${name}.gz`)]) {
      const text = this.#texts === undefined
        ? await readText(path)
        : this.#texts.get(path);
      if (text === undefined) continue;
      this.read.push([name, text]);
      return { path, text };
    }
    return undefined;
  }

  /**
   * Reads the first of the named files that exists.
   * @throws {DataError} If none of the files exists.
   */
  async first(...names: [string, ...string[]]): Promise<TextFile> {
    for (const name of names) {
      const file = await this.find(name);
      if (file !== undefined) return file;
    }
    const path = this.path(names[0]);
    throw new DataError(`Cannot find "${path}"`, { path, hint: HINT });
  }

  /**
   * Reads and parses a file.
   * @throws {DataError} If the file does not exist or cannot be parsed.
   */
  async value(name: string): Promise<{ path: string; value: JsonValue }> {
    const file = await this.first(name);
    return { path: file.path, value: parseFile(file) };
  }
}

/**
 * Parses a JSON or TOML file.
 * @throws {DataError} If the file is invalid; the message names the file, the line and the column.
 */
export function parseFile({ path, text }: TextFile): JsonValue {
  try {
    return /\.toml(\.gz)?$/.test(path)
      ? parseToml(text, { path })
      : parsePythonJson(text, { path });
  } catch (error) {
    throw new DataError(messageOf(error), { path, cause: error, hint: HINT });
  }
}

/**
 * Validates `value` with `schema`.
 * @throws {DataError} If `value` is invalid; the message names the file, `place` if it is given, and the field.
 */
export function checkedValue<T>(
  schema: z.ZodType<T>,
  { value, path, place }: { value: unknown; path: string; place?: string },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(
    `Cannot use "${path}": ${place === undefined ? "" : `${place}, `}${
      explainFirstIssue(result.error)
    }`,
    { path, cause: result.error, hint: HINT },
  );
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await bytesOf(path);
  return bytes === undefined ? undefined : decode(bytes, path);
}

async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw unreadable(path, error);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b
      ? gunzipSync(bytes)
      : bytes;
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      plain,
    );
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): DataError {
  return new DataError(`Cannot read "${path}": ${messageOf(error)}`, {
    path,
    cause: error,
    hint: HINT,
  });
}
