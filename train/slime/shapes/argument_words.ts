/** Groups the arguments of a command line by flag. */

/** A flag with its values. */
export interface FlagWords {
  /** The flag with its dashes, such as `--num-layers`. */
  readonly flag: string;
  /** The values; empty for a flag without a value. */
  readonly values: readonly string[];
}

/** Groups the arguments of a command line by flag. Arguments before the first flag are dropped. */
export function groupWords(words: readonly string[]): FlagWords[] {
  const flags: { flag: string; values: string[] }[] = [];
  for (const word of words) {
    if (word.startsWith("--")) flags.push({ flag: word, values: [] });
    else flags.at(-1)?.values.push(word);
  }
  return flags;
}
