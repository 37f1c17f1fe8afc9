/**
 * Reads parts of files at given positions, and small JSON files as a whole. Reading past the end of a file is an error.
 */

import { parseModelJson } from "../../../env/tokens/model_dir.ts";
import { DataError, messageOf } from "../../../env/errors.ts";
import { jsonExcess } from "./json_excess.ts";

/** The maximum number of open files. Operating systems often limit a process to about a thousand. */
const MAX_OPEN = 64;

/**
 * Keeps the most recently used files open, and closes all of them when disposed. A pool serves a single reader, because
 * concurrent reads of one file would interfere.
 */
export class FilePool implements Disposable {
  /** The open files, keyed by path, the least recently used first. */
  readonly #open = new Map<string, ByteFile>();

  /**
   * Returns the file at `path`, opened if necessary.
   * @throws {DataError} If the file is missing, not a regular file, or not readable.
   */
  open(path: string): ByteFile {
    const file = this.#open.get(path) ?? new ByteFile(path);
    this.#open.delete(path);
    this.#open.set(path, file);
    if (this.#open.size > MAX_OPEN) this.#closeOldest();
    return file;
  }

  #closeOldest(): void {
    const [path, file] = this.#open.entries().next().value!;
    file[Symbol.dispose]();
    this.#open.delete(path);
  }

  [Symbol.dispose](): void {
    for (const file of this.#open.values()) file[Symbol.dispose]();
    this.#open.clear();
  }
}

/** A file that is open for reading. */
export class ByteFile implements Disposable {
  readonly path: string;
  /** The size in bytes. */
  readonly size: number;
  readonly #file: Deno.FsFile;

  /**
   * Opens the file at `path`.
   * @throws {DataError} If the file is missing, not a regular file, or not readable.
   */
  constructor(path: string) {
    this.path = path;
    try {
      this.size = sizeOf(path);
      this.#file = Deno.openSync(path);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /**
   * Reads `length` bytes at `offset` synchronously.
   * @throws {DataError} If the file ends before the requested bytes do.
   */
  readSmall(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    const bytes = new Uint8Array(length);
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      let read = 0;
      while (read < length) {
        const n = this.#file.readSync(bytes.subarray(read));
        if (n === null) throw this.#short(offset + read, length - read);
        read += n;
      }
    } catch (error) {
      throw unreadable(this.path, error);
    }
    return bytes;
  }

  /**
   * Fills `into` with the bytes from `offset`.
   * @throws {DataError} If the file ends before `into` is full.
   */
  async read(offset: number, into: Uint8Array): Promise<void> {
    this.#check(offset, into.length);
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      let read = 0;
      while (read < into.length) {
        const n = await this.#file.read(into.subarray(read));
        if (n === null) throw this.#short(offset + read, into.length - read);
        read += n;
      }
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #check(offset: number, length: number): void {
    const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
    if (!whole || offset < 0 || length < 0 || offset + length > this.size) {
      throw this.#short(offset, length);
    }
  }

  #short(offset: number, length: number): DataError {
    return new DataError(
      `"${this.path}" is truncated, or does not belong to the other files: the file ends at byte ${this.size}, but its data should extend to byte ${
        offset + length
      }`,
      {
        path: this.path,
        hint: "copy the file again, or save the checkpoint again",
      },
    );
  }
}

/** A part of a file that is read like a separate file, such as an item of a `.distcp` file. */
export class FileSlice {
  readonly file: ByteFile;
  /** The offset of the slice in the file. */
  readonly start: number;
  /** The size in bytes. */
  readonly size: number;

  /**
   * Creates the slice of `size` bytes that starts at byte `start`.
   * @throws {DataError} If the file ends before the slice does.
   */
  constructor(
    file: ByteFile,
    { start, size }: { readonly start: number; readonly size: number },
  ) {
    this.file = file;
    this.start = start;
    this.size = size;
    if (!(start >= 0 && size >= 0 && start + size <= file.size)) {
      throw this.fault(
        `an item should extend to byte ${
          start + size
        }, but the file ends at byte ${file.size}`,
      );
    }
  }

  /**
   * Reads `length` bytes synchronously, starting `offset` bytes after the start of the slice.
   * @throws {DataError} If the bytes are not within the slice.
   */
  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw this.fault(
        `the data should extend to byte ${
          this.start + offset + length
        }, but the item ends at byte ${this.start + this.size}`,
      );
    }
    return this.file.readSmall(this.start + offset, length);
  }

  /** Creates an error that describes a fault of the slice and its position in the file. */
  fault(what: string): DataError {
    return new DataError(
      `"${this.file.path}" is truncated or damaged at byte ${this.start}: ${what}`,
      {
        path: this.file.path,
        hint: "copy the file again, or save the checkpoint again",
      },
    );
  }
}

function sizeOf(path: string): number {
  const info = Deno.statSync(path);
  if (info.isFile) return info.size;
  throw new DataError(`"${path}" is not a regular file`, {
    path,
    hint: "copy the checkpoint again, or save it again",
  });
}

/**
 * Converts the error for a missing or inaccessible file to a {@linkcode DataError}. Other errors are returned
 * unchanged.
 */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) {
    return new DataError(
      `"${path}" is missing`,
      {
        path,
        cause: error,
        hint: "copy the checkpoint again, or save it again",
      },
    );
  }
  const refused = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
  if (!refused) return error;
  return new DataError(
    `Cannot read "${path}": ${error.message}`,
    {
      path,
      cause: error,
      hint: "change the file's owner or mode, or copy it again",
    },
  );
}

/**
 * Reads a small file.
 * @throws {DataError} If the file is missing, not a regular file, not readable, or larger than `limit` bytes.
 */
export function readSmallFile(path: string, limit: number): Uint8Array {
  using file = new ByteFile(path);
  if (file.size > limit) {
    throw new DataError(
      `"${path}" must have at most ${limit} bytes, but it has ${file.size}`,
      { path, hint: "save the checkpoint again" },
    );
  }
  return file.readSmall(0, file.size);
}

/**
 * Reads a JSON object from a small file.
 * @throws {DataError} If the file is missing, not a regular file, not readable or larger than `limit` bytes, or if
 * {@linkcode parseJsonObject} rejects its contents.
 */
export function readJsonObject(
  path: string,
  limit: number,
): Record<string, unknown> {
  return parseJsonObject(readSmallFile(path, limit), path);
}

/**
 * Parses a JSON object.
 * @param path The path of the file, for error messages.
 * @throws {DataError} If `bytes` is not a JSON object in UTF-8, is nested too deeply, or has far more values than the
 * files of real models.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  path: string,
): Record<string, unknown> {
  const excess = jsonExcess(bytes);
  if (excess !== undefined) {
    throw new DataError(
      `"${path}" contains JSON that ${excess}`,
      { path, hint: "copy the file again, or save the checkpoint again" },
    );
  }
  let value: unknown;
  try {
    value = parseModelJson(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    );
  } catch (error) {
    const why = messageOf(error);
    throw new DataError(
      `"${path}" is not JSON: ${why}`,
      {
        path,
        cause: error,
        hint: "copy the file again, or save the checkpoint again",
      },
    );
  }
  if (isJsonObject(value)) return value;
  throw new DataError(
    `"${path}" is not a JSON object`,
    { path, hint: "copy the file again, or save the checkpoint again" },
  );
}

/** Checks whether a JSON value is an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks whether a path exists. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return false;
    throw error;
  }
}
