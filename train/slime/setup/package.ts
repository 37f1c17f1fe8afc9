/** Packs taulab's source code so that it can be installed on another host. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { localShell } from "../hosts/local_shell.ts";
import { outputOf, quoteWords } from "../hosts/shell.ts";

/**
 * The files and directories that are needed to serve episodes and import datasets. Tests and notebooks are not
 * included.
 */
const PARTS = [
  "LICENSE",
  "deno.json",
  "deno.lock",
  "mod.ts",
  "env",
  "tasks",
  "train",
];

/** The source files of taulab. */
export interface Package {
  /** A digest of the paths and contents of the files. */
  readonly id: string;
  readonly files: number;
  /** Returns a compressed tar archive of the files in base64. */
  pack(): Promise<string>;
}

/**
 * Reads the files and computes their digest.
 * @param root The directory that contains `deno.json`.
 */
export async function readPackage(root: string): Promise<Package> {
  const files: string[] = [];
  for (const part of PARTS) await addFiles(root, { path: part, files });
  const hash = createHash("sha256");
  for (const path of files) {
    const content = await Deno.readFile(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return {
    id: hash.digest("hex").slice(0, 16),
    files: files.length,
    pack: () => pack(root, files),
  };
}

async function addFiles(
  root: string,
  { path, files }: { path: string; files: string[] },
): Promise<void> {
  const info = await Deno.stat(join(root, path)).catch(() => undefined);
  if (info?.isFile) files.push(path);
  if (!info?.isDirectory) return;
  const names = (await Array.fromAsync(Deno.readDir(join(root, path))))
    .map(({ name }) => name).filter((name) => !name.startsWith("."));
  for (const name of names.sort()) {
    await addFiles(root, { path: `${path}/${name}`, files });
  }
}

function pack(root: string, files: readonly string[]): Promise<string> {
  return outputOf(localShell(), {
    script: `tar -czf - -C ${quoteWords([root])} -T - | base64`,
    stdin: files.map((file) => `${file}\n`).join(""),
    what: "Cannot pack taulab",
    hint: "install tar and base64 on this machine",
  });
}
