/** Files of bytes that are read by position and never past their end. */

import { parseModelJson } from "../../../env/tokens/model_dir.ts";
import { DataError, messageOf } from "../../../env/errors.ts";
import { jsonExcess } from "./json_excess.ts";

/** Files open at a time: systems allow a program about a thousand. */
const MOST_OPEN = 64;

/**
 * Keeps files open that were used last, and closes all of them at its end. For one reader: two reads of one file at
 * a time would mix up.
 */
export class FilePool implements Disposable {
  /** The one used longest ago first. */
  readonly #open = new Map<string, ByteFile>();

  /** @throws {DataError} If the file is missing, is none or may not be read. */
  open(path: string): ByteFile {
    const file = this.#open.get(path) ?? new ByteFile(path);
    this.#open.delete(path);
    this.#open.set(path, file);
    if (this.#open.size > MOST_OPEN) this.#closeOldest();
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

/** A file that is open. */
export class ByteFile implements Disposable {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly #file: Deno.FsFile;

  /** @throws {DataError} As {@linkcode FilePool.open}. */
  constructor(path: string) {
    this.path = path;
    try {
      this.size = sizeOf(path);
      this.#file = Deno.openSync(path);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Few bytes, at once. @throws {DataError} If they are not there. */
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

  /** Fills `into` from `offset`. @throws {DataError} If the bytes are not there. */
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
      `"${this.path}" ends at byte ${this.size}, and ${length} bytes are wanted from byte ${offset}: it was cut off, or is not the file that the others speak of`,
      { path: this.path, hint: "copy or write it again" },
    );
  }
}

/** A part of a file that is itself a whole thing: an item of a `.distcp`. */
export class FileSlice {
  readonly file: ByteFile;
  /** Where it begins in the file. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;

  /** @throws {DataError} If the file ends before the part does. */
  constructor(
    file: ByteFile,
    { start, size }: { readonly start: number; readonly size: number },
  ) {
    this.file = file;
    this.start = start;
    this.size = size;
    if (!(start >= 0 && size >= 0 && start + size <= file.size)) {
      throw this.fault(
        `${size} bytes from byte ${start} were promised, and the file has ${file.size}`,
      );
    }
  }

  /** Few bytes, at once. @throws {DataError} If they are not within the part. */
  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw this.fault(
        `${length} bytes are wanted from byte ${
          this.start + offset
        }, past the end of its item`,
      );
    }
    return this.file.readSmall(this.start + offset, length);
  }

  /** What is wrong with it, as an error that says where it is. */
  fault(what: string): DataError {
    return new DataError(
      `"${this.file.path}" at byte ${this.start}: ${what}`,
      {
        path: this.file.path,
        hint: "it is cut off or damaged: copy or write it again",
      },
    );
  }
}

function sizeOf(path: string): number {
  const info = Deno.statSync(path);
  if (info.isFile) return info.size;
  throw new DataError(`"${path}" is no file`, {
    path,
    hint: "name the checkpoint's directory",
  });
}

/** What the system refused, in a sentence. */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) {
    return new DataError(
      `"${path}" is missing`,
      { path, cause: error, hint: "copy or write the checkpoint again" },
    );
  }
  const refused = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
  if (!refused) return error;
  return new DataError(
    `"${path}" cannot be read: ${error.message}`,
    { path, cause: error, hint: "change its owner or mode, or copy it again" },
  );
}

/**
 * The bytes of a small file.
 * @throws {DataError} If it is missing, may not be read, or has more than `limit` bytes.
 */
export function readSmallFile(path: string, limit: number): Uint8Array {
  using file = new ByteFile(path);
  if (file.size > limit) {
    throw new DataError(
      `"${path}" has ${file.size} bytes, and no more than ${limit} can be right`,
      { path, hint: "write the checkpoint again" },
    );
  }
  return file.readSmall(0, file.size);
}

/**
 * A JSON object out of a small file.
 * @throws {DataError} Also if it is no JSON object.
 */
export function readJsonObject(
  path: string,
  limit: number,
): Record<string, unknown> {
  return parseJsonObject(readSmallFile(path, limit), path);
}

/**
 * @throws {DataError} If `bytes` are no JSON object of UTF-8, or one that nests deeper or takes more memory than what
 * lists the tensors of a model.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  path: string,
): Record<string, unknown> {
  const excess = jsonExcess(bytes);
  if (excess !== undefined) {
    throw new DataError(
      `"${path}" is JSON that ${excess}`,
      { path, hint: "copy or write it again" },
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
      `"${path}" is not JSON (${why})`,
      { path, cause: error, hint: "copy or write it again" },
    );
  }
  if (isJsonObject(value)) return value;
  throw new DataError(
    `"${path}" holds no JSON object`,
    { path, hint: "copy or write it again" },
  );
}

/** Whether a value of JSON is an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether there is something at a path. */
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
