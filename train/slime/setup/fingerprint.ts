/**
 * What is in a directory, in a word: names and sizes, so that what was added or changed since is seen at once
 * in directories of any size.
 */

import { outputOf, pathWord, type Shell } from "../hosts/shell.ts";

/** A shell's words that print it; what `hf` keeps beside a download for itself is left out. */
export function fingerprintScript(dir: string): string {
  return `(cd ${
    pathWord(dir)
  } && find . -type f -not -path './.cache/*' -exec wc -c {} + | grep -v ' total$' | sort | cksum)`;
}

/** Reads it. @throws {HostError} If the directory cannot be read. */
export async function fingerprintOf(
  dir: string,
  { shell }: { readonly shell: Shell },
): Promise<string> {
  const script = fingerprintScript(dir);
  const what = `${shell.name}: cannot read ${dir}`;
  return (await outputOf(shell, { script, what })).trim();
}
