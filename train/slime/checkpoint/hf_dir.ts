/**
 * Reads a model's directory in Hugging Face's format: `config.json`, and the weights in safetensors, either in one file
 * or in shards that an index lists. The elements stay on disk.
 */

import { join } from "node:path";
import { DataError, messageOf } from "../../../env/errors.ts";
import {
  exists,
  isJsonObject,
  readJsonObject,
  readSmallFile,
} from "./byte_file.ts";
import { readSafetensors } from "./safetensors.ts";
import type { StoredTensor } from "./tensor.ts";

/** The name of the index file. */
export const INDEX = "model.safetensors.index.json";

const MAX_INDEX = 64 * 1024 * 1024;
const MAX_CONFIG = 4 * 1024 * 1024;

/** The contents of a model's directory. */
export interface HfDirectory {
  /** The text of `config.json`. */
  readonly config: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /**
   * Messages about missing, damaged or duplicate parts, such as a damaged shard or a tensor that is not in the file
   * named by the index.
   */
  readonly faults: readonly string[];
}

/**
 * Checks whether a directory is in Hugging Face's format, that is, contains a `config.json` or a `.safetensors` file.
 * Returns `false` if the directory cannot be read.
 */
export function isHfDirectory(directory: string): boolean {
  try {
    return [...Deno.readDirSync(directory)].some(({ name }) =>
      name === "config.json" || name.endsWith(".safetensors")
    );
  } catch {
    return false;
  }
}

/**
 * Reads a model's directory. Parts that cannot be read are reported in `faults`.
 * @throws {DataError} If `config.json` is missing or not readable, the index is damaged, or there is no index and
 * `.safetensors` files are missing.
 */
export function openHfDirectory(directory: string): HfDirectory {
  const config = new TextDecoder().decode(
    readSmallFile(join(directory, "config.json"), MAX_CONFIG),
  );
  const files = safetensorsFiles(directory);
  const weightMap = readIndex(directory, files);
  if (weightMap === undefined && files.length === 0) {
    throw new DataError(
      `"${directory}" contains no *.safetensors file`,
      {
        path: directory,
        hint: "download the whole model, not only its config",
      },
    );
  }
  const names = weightMap === undefined
    ? files
    : [...new Set(weightMap.values())].toSorted();
  const faults: string[] = [];
  const tensors = new Map<string, StoredTensor>();
  for (const file of names) {
    const found = attempt(() => readSafetensors(join(directory, file)), faults);
    for (const [name, tensor] of found?.tensors ?? []) {
      if ((weightMap?.get(name) ?? file) !== file) continue; // the index names another file for it
      if (tensors.has(name)) {
        faults.push(
          `"${directory}": the tensor "${name}" is in two files; its copy in "${file}" is used`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  const lost = [...weightMap ?? []].filter(([name]) => !tensors.has(name));
  const present = lost.filter(([, file]) => files.includes(file));
  faults.push(
    ...present.map(([name, file]) =>
      `"${
        join(directory, file)
      }" lacks the tensor "${name}", although ${INDEX} lists it for this file; download the file again`
    ),
  );
  return { config, tensors, faults };
}

/** Returns the value of `action`; `undefined` if it throws a `DataError`, which is added to `faults`. */
function attempt<T>(action: () => T, faults: string[]): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    faults.push(messageOf(error));
    return undefined;
  }
}

function safetensorsFiles(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map((entry) => entry.name)
    .filter((name) => name.endsWith(".safetensors")).toSorted();
}

/** Returns the file of each tensor according to the index; `undefined` if there is no index. */
function readIndex(
  directory: string,
  files: readonly string[],
): Map<string, string> | undefined {
  const path = join(directory, INDEX);
  if (!exists(path)) {
    refuseOrphans(directory, files);
    return undefined;
  }
  const { weight_map: map } = readJsonObject(path, MAX_INDEX);
  if (!isJsonObject(map)) throw badIndex(path, "contains no weight_map");
  for (const file of new Set(Object.values(map))) {
    if (typeof file !== "string" || !/^[\w.-]+\.safetensors$/.test(file)) {
      throw badIndex(
        path,
        `lists ${
          JSON.stringify(file).slice(0, 80)
        }, which is not the name of a .safetensors file`,
      );
    }
  }
  return new Map(Object.entries(map) as [string, string][]);
}

/**
 * Rejects a directory that has only some of its shards, for example after an interrupted download. Used if there is no
 * index, which would list the missing shards.
 */
function refuseOrphans(directory: string, files: readonly string[]): void {
  const shard = files.find((name) => /-\d{5}-of-\d{5}\./.test(name));
  const total = Number(/-of-(\d{5})\./.exec(shard ?? "")?.[1] ?? 0);
  if (shard === undefined || files.length >= total) return;
  throw new DataError(
    `"${directory}" has only ${files.length} of ${total} shards, and no ${INDEX}`,
    { path: directory, hint: "download the model again" },
  );
}

function badIndex(path: string, what: string): DataError {
  return new DataError(`"${path}" ${what}`, {
    path,
    hint: "download the file again",
  });
}
