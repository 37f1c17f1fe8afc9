/**
 * Safely reads files from an untrusted checkout: only regular files inside it, up to a size limit. Pipes, devices, and
 * links that lead out of the checkout cause an error; they are never opened or followed.
 */

import { join, relative, sep } from "node:path";
import { DataError } from "../errors.ts";

/** Limits for reading a checkout. */
export interface CheckoutLimits {
  /** The maximum size of one file. Default: 64 MiB. */
  readonly maxFileBytes?: number;
  /** The maximum total size of all files that are read. Default: 512 MiB. */
  readonly maxTotalBytes?: number;
}

/** A function that reads a file as text and returns `undefined` if the file does not exist. */
export type ReadFile = (path: string) => Promise<string | undefined>;

/**
 * Creates a reader for the files below a directory.
 * @returns A function that reads the file at a path, which must begin with `root`. The function throws a `DataError` if
 * the path is not a regular file in the checkout, or if a size limit is exceeded.
 */
export function checkoutFiles(
  root: string,
  { maxFileBytes = 64 * 2 ** 20, maxTotalBytes = 512 * 2 ** 20 }:
    CheckoutLimits = {},
): ReadFile {
  let left = maxTotalBytes;
  return async (path) => {
    const place = await ifThere(realPlace(root, path));
    if (place === undefined) return undefined;
    const info = await Deno.stat(place);
    if (!info.isFile) {
      throw fault(path, `it is ${kindOf(info)}, not a file`);
    }
    const bytes = await readUpTo(place, Math.min(maxFileBytes, left));
    if (bytes === undefined) {
      throw fault(
        path,
        left < maxFileBytes
          ? `the checkout exceeds the total limit of ${maxTotalBytes} bytes; ${
            maxTotalBytes - left
          } were read from other files`
          : `it exceeds the limit of ${maxFileBytes} bytes per file`,
      );
    }
    left -= bytes.length;
    return new TextDecoder().decode(bytes);
  };
}

/**
 * Resolves the links in a path.
 * @throws {DataError} If the path leads out of the checkout, or its links form a cycle.
 */
async function realPlace(root: string, path: string): Promise<string> {
  const [within, place] = [await Deno.realPath(root), await realPath(path)];
  const way = relative(within, place);
  if (way === ".." || way.startsWith(`..${sep}`)) {
    throw fault(path, `it resolves to "${place}", outside the checkout`);
  }
  return join(within, way);
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.FilesystemLoop) {
      throw fault(path, "its links form a cycle");
    }
    throw error;
  }
}

async function ifThere(place: Promise<string>): Promise<string | undefined> {
  try {
    return await place;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return undefined;
    throw error;
  }
}

function kindOf(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a directory";
  if (info.isFifo) return "a pipe";
  if (info.isSocket) return "a socket";
  return "a device";
}

/**
 * Reads a file, or returns `undefined` if the file has more than `most` bytes. Counts the bytes that it reads, since
 * the reported size may be wrong.
 */
async function readUpTo(
  place: string,
  most: number,
): Promise<Uint8Array | undefined> {
  using file = await Deno.open(place);
  const { size } = await file.stat();
  if (size > most) return undefined;
  let bytes = new Uint8Array(Math.min(most, size) + 1);
  let length = 0;
  for (;;) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
    if (length > most) return undefined;
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(2 * length, most + 1));
      larger.set(bytes);
      bytes = larger;
    }
  }
}

function fault(path: string, problem: string): DataError {
  return new DataError(`Cannot read "${path}": ${problem}`, {
    path,
    hint: "import a plain clone of the repository",
  });
}
