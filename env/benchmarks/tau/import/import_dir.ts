/** The directory that an import writes: whole, and in the place of an earlier import only. */

import { basename, dirname, join } from "node:path";
import { ConfigError } from "../../../errors.ts";
import { type Checkout, type Import, MANIFEST } from "./import_tau_bench.ts";

/** An import may replace an earlier one and nothing else. @throws {ConfigError} If something else is there. */
export async function refuseOther(
  out: string,
  read: Checkout["read"],
): Promise<void> {
  const there = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
  const manifest = await read(join(out, MANIFEST));
  if (there.length === 0 || manifest?.includes('"importedBy"')) return;
  throw new ConfigError(`"${out}" is there and was not made by an import`, {
    hint: "choose another --out",
  });
}

/** Writes all files beside the directory and puts them in its place. */
export async function writeImport(
  out: string,
  { files }: Pick<Import, "files">,
): Promise<void> {
  const target = withoutSlash(out);
  const partial = partialOf(out);
  await remove(partial);
  try {
    for (const [path, text] of files) {
      await Deno.mkdir(dirname(join(partial, path)), { recursive: true });
      await Deno.writeTextFile(join(partial, path), text);
    }
  } catch (error) {
    // On a full disk what is half written only takes more of it.
    await remove(partial).catch(() => {});
    throw error;
  }
  await remove(target);
  await Deno.rename(partial, target);
}

/** Where an import is written before it is whole. */
export function partialOf(out: string): string {
  return beside(out, "partial");
}

/** Where a repository is cloned while it is imported. */
export function cloneOf(out: string): string {
  return beside(out, "clone");
}

function beside(out: string, what: string): string {
  const target = withoutSlash(out);
  return join(dirname(target), `.${basename(target)}.${what}`);
}

function withoutSlash(path: string): string {
  return path.replace(/(?<!\/)\/+$/, "");
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
