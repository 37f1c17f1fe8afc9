/**
 * Computes the fingerprint of a directory from the names and sizes of its files. This is fast for directories of any
 * size, and detects files that were added, removed or changed in size.
 */

import { outputOf, pathWord, type Shell } from "../hosts/shell.ts";

/**
 * Returns a shell command that prints the fingerprint. The command ignores the cache that `hf` keeps in the directory.
 */
export function fingerprintScript(dir: string): string {
  return `(cd ${
    pathWord(dir)
  } && find . -type f -not -path './.cache/*' -exec wc -c {} + | grep -v ' total$' | sort | cksum)`;
}

/**
 * Reads the fingerprint of a directory.
 * @throws {HostError} If the directory cannot be read.
 */
export async function fingerprintOf(
  dir: string,
  { shell }: { readonly shell: Shell },
): Promise<string> {
  const script = fingerprintScript(dir);
  const what = `${shell.name}: cannot read ${dir}`;
  return (await outputOf(shell, { script, what })).trim();
}
